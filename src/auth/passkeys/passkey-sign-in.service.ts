import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { DataSource, EntityManager } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { refuseForeignCookie } from '../sign-in/refuse-foreign-cookie.js';
import { SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { SignInService, type SignedIn } from '../sign-in/sign-in.service.js';
import type { StartedSession } from '../sessions/sessions.service.js';
import { normaliseEmail } from '../users/email-address.js';
import { UsersService } from '../users/users.service.js';
import { PasskeyVerifier, type PasskeyProof } from './passkey-verifier.service.js';
import type { PasskeySignInDto, PasskeySignInOptionsDto } from './passkey.dto.js';
import type { Passkey } from './passkey.entity.js';
import { Passkeys } from './passkeys.service.js';
import { readAssertion } from './read-credential.js';

/** Of challenges for whoever answers. */
const ANYBODY = '';

/**
 * Sign-in with a passkey and nothing else. The authenticator makes sure that it is its owner, so it counts as two factors:
 * something that one has, and something that one knows or is.
 */
@Injectable()
export class PasskeySignIn {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly passkeys: Passkeys,
    private readonly verifier: PasskeyVerifier,
    private readonly attempts: SignInAttempts,
    private readonly users: UsersService,
    private readonly signIns: SignInService,
    private readonly events: SignInEvents,
  ) {}

  /**
   * No passkeys are listed, whether or not an address is given: a list would tell who has an account.
   * @throws Problem `forbidden` where passkeys are switched off
   */
  options({ email }: PasskeySignInOptionsDto): Promise<PublicKeyCredentialRequestOptionsJSON> {
    this.passkeys.requireOn();
    return this.passkeys.requestOptions(
      'sign-in',
      email === undefined ? ANYBODY : normaliseEmail(email),
      null,
    );
  }

  /**
   * @param isOwnPage whether a page of another site may not have sent it
   * @throws Problem `unauthenticated`, whatever was wrong; `invalid-request`, `rate-limited`, `forbidden`
   */
  async signIn(
    { credential, session = 'token' }: PasskeySignInDto,
    isOwnPage: boolean,
    client: Client,
  ): Promise<SignedIn> {
    this.passkeys.requireOn();
    refuseForeignCookie({ session }, isOwnPage);
    const forgive = await this.attempts.take(`passkey ${readAssertion(credential).id}`, client.address);
    const settled = await this.dataSource.transaction((manager) =>
      this.settle(credential, session, client, manager),
    );
    if (settled === null) {
      throw new Problem('unauthenticated', {
        detail: 'The passkey is not known here, or its answer is not right.',
        headers: { 'www-authenticate': 'Bearer realm="plinth"' },
      });
    }
    await forgive();
    return this.signIns.present(settled.started, settled.userId);
  }

  /** What is wrong is told of with the same transaction, so it must not fail for that. */
  private async settle(
    credential: PasskeySignInDto['credential'],
    kind: NonNullable<PasskeySignInDto['session']>,
    client: Client,
    manager: EntityManager,
  ): Promise<{ readonly started: StartedSession; readonly userId: string } | null> {
    const passkey = await this.verifier.findNamed(credential, manager);
    const proof = passkey === null ? null : await this.prove(credential, passkey, client, manager);
    if (proof === null) {
      await this.events.record('sign-in.refused', client, { userId: passkey?.userId ?? null }, manager);
      return null;
    }
    const { userId, amr } = proof;
    const started = await this.signIns.start(
      userId,
      { amr, secondFactorAt: new Date() },
      kind,
      client,
      manager,
    );
    return { started, userId };
  }

  private async prove(
    credential: PasskeySignInDto['credential'],
    passkey: Passkey,
    client: Client,
    manager: EntityManager,
  ): Promise<PasskeyProof | null> {
    if (!(await this.users.holdActive(passkey.userId, manager))) return null;
    const { email } = await this.users.get(passkey.userId, manager);
    return this.verifier.verify(
      credential,
      passkey,
      {
        purpose: 'sign-in',
        bindings: email === null ? [ANYBODY] : [ANYBODY, email],
        requiresUserVerification: true,
      },
      client,
      manager,
    );
  }
}
