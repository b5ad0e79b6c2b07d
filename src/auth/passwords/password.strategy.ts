import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { normaliseEmail } from '../users/email-address.js';
import { Passwords, type PasswordVerdict } from './passwords.service.js';

/** What a password sign-in needs to know. */
export interface PasswordClaim {
  readonly email: string;
  readonly password: string;
  /** Of the client. */
  readonly address: string;
}

/** Passport's strategy for an e-mail address and a password. */
@Injectable()
export class PasswordStrategy extends passport.Strategy {
  override readonly name = 'password';

  constructor(
    private readonly passwords: Passwords,
    private readonly attempts: SignInAttempts,
  ) {
    super();
  }

  override authenticate(_request: unknown, claim: unknown): void {
    this.judge(claim as PasswordClaim).then(
      (verdict) => (verdict.isRight ? this.success(verdict) : this.fail(verdict)),
      (error: unknown) => this.error(error),
    );
  }

  private async judge({ email, password, address }: PasswordClaim): Promise<PasswordVerdict> {
    const forgive = await this.attempts.take(normaliseEmail(email), address);
    const verdict = await this.passwords.verifyByEmail(email, password);
    if (verdict.isRight) await forgive();
    return verdict;
  }
}
