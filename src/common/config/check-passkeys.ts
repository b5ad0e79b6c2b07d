import type { PlinthConfig } from './plinth-config.js';

type Refuse = (variable: string, message: string) => void;

/** Pages that no browser would let use the passkeys that are bound to the domain. */
export function checkPasskeys(
  { passkeyDomain, passkeyOrigins, publicUrl }: PlinthConfig,
  refuse: Refuse,
): void {
  const own = publicUrl === null ? null : new URL(publicUrl);
  const domain = passkeyDomain ?? own?.hostname ?? 'localhost';
  const foreign = passkeyOrigins.find((origin) => !isWithin(new URL(origin).hostname, domain));
  if (foreign !== undefined) {
    refuse(
      'PLINTH_PASSKEY_ORIGINS',
      `has ${foreign}, which does not lie in ${domain}, the domain that passkeys are bound to: ` +
        'set PLINTH_PASSKEY_DOMAIN to a domain of all origins',
    );
  }
  if (passkeyDomain === null || passkeyOrigins.length > 0) return;
  if (own === null && passkeyDomain !== 'localhost') {
    refuse(
      'PLINTH_PASSKEY_ORIGINS',
      `must be set with PLINTH_PASSKEY_DOMAIN, or PLINTH_PUBLIC_URL: no page could use the passkeys of ${domain}`,
    );
  }
  if (own !== null && !isWithin(own.hostname, domain)) {
    refuse(
      'PLINTH_PASSKEY_DOMAIN',
      `must be ${own.hostname} or a domain above it, as the pages of PLINTH_PUBLIC_URL use passkeys; ` +
        'or set PLINTH_PASSKEY_ORIGINS to the pages that do',
    );
  }
}

/** Browsers use a passkey on pages of its domain and of those below; no page is below a whole top level. */
const isWithin = (hostname: string, domain: string): boolean =>
  hostname === domain || (/\.|^localhost$/.test(domain) && hostname.endsWith(`.${domain}`));
