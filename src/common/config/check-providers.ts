import type { PlinthConfig, ProviderConfig } from './plinth-config.js';
import { PROVIDER_FAMILY, PROVIDER_SETTINGS } from './provider-settings.js';
import { memberVariable } from './setting-family.js';

type Refuse = (variable: string, message: string) => void;

/** Of plain OAuth 2, what cannot be discovered. */
const ENDPOINTS = ['authorizationUrl', 'tokenUrl', 'userinfoUrl'] as const;

/** What providers lack, or have too much of. */
export function checkProviders({ providers, publicUrl }: PlinthConfig, refuse: Refuse): void {
  for (const provider of providers) checkProvider(provider, refuse);
  if (providers.length > 0 && publicUrl === null) {
    refuse('PLINTH_PUBLIC_URL', `must be set with ${PROVIDER_FAMILY.listedIn}: providers lead back there`);
  }
}

function checkProvider(provider: ProviderConfig, refuse: Refuse): void {
  const variableOf = (key: keyof typeof PROVIDER_SETTINGS): string =>
    memberVariable(PROVIDER_FAMILY.prefix, provider.name, PROVIDER_SETTINGS[key].variable);
  if (provider.clientId === null) {
    refuse(
      variableOf('clientId'),
      `must be set: ${PROVIDER_FAMILY.listedIn} names the provider ${provider.name}`,
    );
  }
  if (provider.issuer !== null) {
    for (const key of [...ENDPOINTS, 'emailsUrl'] as const) {
      if (provider[key] !== null)
        refuse(variableOf(key), `must not be set with ${variableOf('issuer')}, where it is discovered`);
    }
    return;
  }
  const missing = ENDPOINTS.filter((key) => provider[key] === null);
  if (missing.length === ENDPOINTS.length) {
    const names = ENDPOINTS.map((key) => variableOf(key)).join(', ');
    refuse(variableOf('issuer'), `must be set, or for plain OAuth 2 ${names}`);
  } else for (const key of missing) refuse(variableOf(key), 'must be set for plain OAuth 2');
}
