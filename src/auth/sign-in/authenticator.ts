import { Injectable } from '@nestjs/common';
import passport from 'passport';

/** Whom a strategy found: somebody, or the account at which it was tried in vain, if there is one. */
export interface Verdict {
  readonly isRight: boolean;
  readonly userId: string | null;
}

/**
 * Runs passport's strategies. Passport's own instance belongs to the whole process, in which several applications may run
 * with users of their own, so this application has one for itself. A strategy runs after the request was validated, from
 * the service that signs in, and not as a guard before all of that.
 */
@Injectable()
export class Authenticator {
  private readonly passport = new passport.Authenticator();

  /** Adds a way to sign in, under the strategy's name. */
  use(strategy: passport.Strategy): void {
    this.passport.use(strategy);
  }

  /**
   * @param claim given to the strategy as its options
   * @throws what the strategy throws
   */
  authenticate(name: string, claim: object): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      const settle: passport.AuthenticateCallback = (error, user, info) => {
        if (error) reject(error instanceof Error ? error : new Error(String(error)));
        else resolve((user || info) as Verdict);
      };
      const run = this.passport.authenticate(name, { session: false, ...claim }, settle) as (
        request: object,
        response: object,
        next: (error: unknown) => void,
      ) => void;
      run({}, {}, reject);
    });
  }
}
