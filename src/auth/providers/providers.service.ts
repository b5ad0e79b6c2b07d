import { Injectable } from '@nestjs/common';
import { PlinthConfig, type ProviderConfig } from '../../common/config/index.js';
import { Problem } from '../../common/errors/index.js';
import { OauthProvider } from './oauth-provider.js';
import { OpenidProvider } from './openid-provider.js';
import type { Provider } from './provider.js';

/** The providers that the configuration names. */
@Injectable()
export class Providers {
  private readonly byName: ReadonlyMap<string, Provider>;

  constructor({ providers }: PlinthConfig) {
    this.byName = new Map(providers.map((config) => [config.name, toProvider(config)]));
  }

  list(): readonly Provider[] {
    return [...this.byName.values()];
  }

  /** What people call it; of one that the configuration names no more, its name. */
  labelOf(name: string): string {
    return this.byName.get(name)?.label ?? name;
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** @throws Problem `not-found` */
  get(name: string): Provider {
    const provider = this.byName.get(name);
    if (provider === undefined) throw new Problem('not-found', { detail: 'There is no such provider.' });
    return provider;
  }
}

function toProvider(config: ProviderConfig): Provider {
  const { issuer, authorizationUrl, tokenUrl, userinfoUrl, emailsUrl } = config;
  if (issuer !== null) return new OpenidProvider(config, issuer);
  if (authorizationUrl === null || tokenUrl === null || userinfoUrl === null) {
    throw new Error(`The provider ${config.name} has neither an issuer nor endpoints.`);
  }
  return new OauthProvider(config, {
    authorization: authorizationUrl,
    token: tokenUrl,
    userinfo: userinfoUrl,
    emails: emailsUrl,
  });
}
