import { checkProviders } from './check-providers.js';
import type { PlinthConfig } from './plinth-config.js';

interface Mistake {
  readonly variable: string;
  readonly message: string;
}

/** What is wrong with settings that are right each by itself. */
export function checkTogether(config: PlinthConfig): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const refuse = (variable: string, message: string): void => void mistakes.push({ variable, message });
  if (config.replicaUrls.length > 0 && config.databaseUrl === null) {
    refuse('DATABASE_REPLICA_URLS', 'must be set with DATABASE_URL, the server that they are standbys of');
  }
  if ((config.tlsCertFile === null) !== (config.tlsKeyFile === null)) {
    const [given, missing] =
      config.tlsKeyFile === null
        ? ['PLINTH_TLS_CERT', 'PLINTH_TLS_KEY']
        : ['PLINTH_TLS_KEY', 'PLINTH_TLS_CERT'];
    refuse(missing, `must be set with ${given}`);
  }
  if ((config.adminEmail === null) !== (config.adminPassword === null)) {
    const [given, missing] =
      config.adminEmail === null
        ? ['PLINTH_ADMIN_PASSWORD', 'PLINTH_ADMIN_EMAIL']
        : ['PLINTH_ADMIN_EMAIL', 'PLINTH_ADMIN_PASSWORD'];
    refuse(missing, `must be set with ${given}`);
  }
  const foreign = config.passkeyOrigins.find((origin) => !isWithin(origin, config));
  if (foreign !== undefined) {
    refuse(
      'PLINTH_PASSKEY_ORIGINS',
      `has ${foreign}, which does not lie in the domain that passkeys are bound to: set PLINTH_PASSKEY_DOMAIN`,
    );
  }
  if (config.smtpUrl !== null && config.mailFrom === null) {
    refuse('PLINTH_MAIL_FROM', 'must be set with PLINTH_SMTP_URL');
  }
  if (config.smtpUrl !== null && config.publicUrl === null) {
    refuse('PLINTH_PUBLIC_URL', 'must be set with PLINTH_SMTP_URL, so that links in mails lead here');
  }
  if (config.headersTimeoutMs > config.requestTimeoutMs) {
    refuse('PLINTH_HEADERS_TIMEOUT', 'must not be longer than PLINTH_REQUEST_TIMEOUT, which includes it');
  }
  if (config.urlLimitBytes > config.headerLimitBytes) {
    refuse('PLINTH_URL_LIMIT', 'must not be larger than PLINTH_HEADER_LIMIT, which includes it');
  }
  if (config.corsOrigins.length > 1 && config.corsOrigins.includes('*')) {
    refuse('PLINTH_CORS_ORIGINS', 'is every origin with "*", which must stand alone');
  }
  checkProviders(config, refuse);
  return mistakes;
}

/** Browsers use a passkey on pages of its domain and of those below. */
function isWithin(origin: string, { passkeyDomain, publicUrl }: PlinthConfig): boolean {
  const domain = passkeyDomain ?? (publicUrl === null ? 'localhost' : new URL(publicUrl).hostname);
  const { hostname } = new URL(origin);
  return hostname === domain || hostname.endsWith(`.${domain}`);
}
