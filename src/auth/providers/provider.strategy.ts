import { Injectable } from '@nestjs/common';
import passport from 'passport';
import type { Client } from '../client.js';
import type { Verdict } from '../sign-in/authenticator.js';
import { Identities, type Rejection } from './identities.service.js';
import type { FlowSecrets } from './provider.js';
import { Providers } from './providers.service.js';

/** What somebody comes back from a provider with. */
export interface ProviderClaim {
  readonly provider: string;
  /** The redirect address with what the provider added. */
  readonly callback: URL;
  readonly secrets: FlowSecrets;
  readonly client: Client;
}

/** The provider knows them, and yet they have no account here. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError';

  constructor(readonly rejection: Rejection) {
    super(`The sign-in is rejected: ${rejection}.`);
  }
}

/** Passport's strategy for those who come back from a provider. */
@Injectable()
export class ProviderStrategy extends passport.Strategy {
  override readonly name = 'provider';

  constructor(
    private readonly providers: Providers,
    private readonly identities: Identities,
  ) {
    super();
  }

  override authenticate(_request: unknown, claim: unknown): void {
    this.judge(claim as ProviderClaim).then(
      (verdict) => this.success(verdict),
      (error: unknown) => this.error(error),
    );
  }

  private async judge({ provider, callback, secrets, client }: ProviderClaim): Promise<Verdict> {
    const identity = await this.providers.get(provider).finish(callback, secrets);
    const resolution = await this.identities.resolve(identity, client);
    if ('rejection' in resolution) throw new RejectedError(resolution.rejection);
    return { isRight: true, userId: resolution.userId };
  }
}
