import { checkPasskeys } from './check-passkeys.js';
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
  checkPasskeys(config, refuse);
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
