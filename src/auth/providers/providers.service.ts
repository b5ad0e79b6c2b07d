import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PlinthConfig, type ProviderConfig } from '../../common/config/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Provider } from './provider.js';

/** The providers that the configuration names. */
@Injectable()
export class Providers implements OnModuleInit {
  private byName: ReadonlyMap<string, Provider> = new Map();

  constructor(private readonly config: PlinthConfig) {}

  async onModuleInit(): Promise<void> {
    const providers = await Promise.all(this.config.providers.map((config) => toProvider(config)));
    this.byName = new Map(providers.map((provider) => [provider.name, provider]));
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

/** What speaks to them is loaded where there are some: it takes memory, and many servers have none. */
async function toProvider(config: ProviderConfig): Promise<Provider> {
  const { issuer, authorizationUrl, tokenUrl, userinfoUrl, emailsUrl } = config;
  if (issuer !== null) {
    const { OpenidProvider } = await import('./openid-provider.js');
    return new OpenidProvider(config, issuer);
  }
  if (authorizationUrl === null || tokenUrl === null || userinfoUrl === null) {
    throw new Error(`The provider ${config.name} has neither an issuer nor endpoints.`);
  }
  const { OauthProvider } = await import('./oauth-provider.js');
  return new OauthProvider(config, {
    authorization: authorizationUrl,
    token: tokenUrl,
    userinfo: userinfoUrl,
    emails: emailsUrl,
  });
}
