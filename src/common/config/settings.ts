/**
 * Every setting, once: its variable, how its text is read, its default and what it means. `plinth config`, the
 * validation at start and the configuration page are made from this list.
 */
export interface Setting<T> {
  readonly variable: string;
  readonly description: string;
  /** Shown in documentation where the value is computed or absent by default. */
  readonly defaultText?: string;
  readonly defaultValue: T;
  readonly isSecret?: boolean;
  /** Gives the value, or a message that says what would be right. */
  readonly parse: (text: string) => { readonly value: T } | { readonly mistake: string };
}

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

const oneOf =
  <const T extends string>(...options: readonly T[]) =>
  (text: string): { value: T } | { mistake: string } => {
    const value = options.find((option) => option === text);
    return value === undefined ? { mistake: `must be one of ${options.join(', ')}` } : { value };
  };

const integer =
  (minimum: number, maximum: number, unit = '') =>
  (text: string): { value: number } | { mistake: string } => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= minimum && value <= maximum
      ? { value }
      : { mistake: `must be a whole number${unit && ` of ${unit}`} from ${minimum} to ${maximum}` };
  };

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

const bytes =
  (minimum: number, maximum: number) =>
  (text: string): { value: number } | { mistake: string } => {
    const match = /^(\d{1,12})\s*(b|kb|mb|gb)?$/i.exec(text);
    const value = match ? Number(match[1]) * (BYTE_UNITS[(match[2] ?? '').toLowerCase()] ?? 1) : Number.NaN;
    return value >= minimum && value <= maximum
      ? { value }
      : { mistake: `must be a size from ${minimum} to ${maximum} bytes, such as 65536, 512kb or 1mb` };
  };

const databaseUrl = (text: string): { value: string } | { mistake: string } => {
  const mistake = {
    mistake: 'must be a PostgreSQL address such as postgres://user:password@host:5432/database',
  };
  if (!URL.canParse(text)) return mistake;
  const url = new URL(text);
  return ['postgres:', 'postgresql:'].includes(url.protocol) ? { value: text } : mistake;
};

export const SETTINGS = {
  port: setting({
    variable: 'PORT',
    description: 'The TCP port to listen on; 0 takes a free one.',
    defaultValue: 3000,
    parse: integer(0, 65_535),
  }),
  host: setting({
    variable: 'HOST',
    description: 'The address to listen on. Set 0.0.0.0 to be reached from other machines.',
    defaultValue: '127.0.0.1',
    parse: (text) =>
      /^[A-Za-z0-9.:_-]{1,253}$/.test(text)
        ? { value: text }
        : { mistake: 'must be an IP address or a host name' },
  }),
  databaseUrl: setting<string | null>({
    variable: 'DATABASE_URL',
    description: 'The PostgreSQL (14 or later) to use. Without it, Plinth starts an embedded one.',
    defaultText: 'embedded PostgreSQL',
    defaultValue: null,
    isSecret: true,
    parse: databaseUrl,
  }),
  dataDir: setting({
    variable: 'PLINTH_DATA_DIR',
    description: 'The folder for the embedded PostgreSQL and other local state.',
    defaultValue: '.plinth',
    parse: (text) => (text.includes('\0') ? { mistake: 'must be a path' } : { value: text }),
  }),
  schemas: setting<readonly string[]>({
    variable: 'PLINTH_SCHEMAS',
    description:
      'The database schemas to expose, separated by commas; collections of the first one have no prefix in their name.',
    defaultValue: ['public'],
    parse: (text) => {
      const names = text.split(',').map((name) => name.trim());
      const refused = names.find(
        (name) => name === '' || name === 'plinth' || name === 'information_schema' || name.startsWith('pg_'),
      );
      if (refused !== undefined) {
        return { mistake: `must be schema names separated by commas; "${refused}" cannot be exposed` };
      }
      return new Set(names).size < names.length ? { mistake: 'names a schema twice' } : { value: names };
    },
  }),
  poolSize: setting({
    variable: 'PLINTH_POOL_SIZE',
    description: 'Connections for requests, at most.',
    defaultValue: 10,
    parse: integer(1, 1000),
  }),
  statementTimeoutMs: setting({
    variable: 'PLINTH_STATEMENT_TIMEOUT',
    description: 'Milliseconds after which a statement of a request is cancelled; 0 means never.',
    defaultValue: 30_000,
    parse: integer(0, 86_400_000, 'milliseconds'),
  }),
  databaseWaitMs: setting({
    variable: 'PLINTH_DATABASE_WAIT',
    description: 'Milliseconds to wait at start for a database that cannot be reached yet.',
    defaultValue: 30_000,
    parse: integer(0, 3_600_000, 'milliseconds'),
  }),
  bodyLimitBytes: setting({
    variable: 'PLINTH_BODY_LIMIT',
    description: 'The largest request body.',
    defaultValue: 10 * 1024 ** 2,
    defaultText: '10mb',
    parse: bytes(1024, 1024 ** 3),
  }),
  maxLimit: setting({
    variable: 'PLINTH_MAX_LIMIT',
    description: 'The largest `limit` of a list, in records.',
    defaultValue: 1000,
    parse: integer(1, 1_000_000),
  }),
  maxBatchOperations: setting({
    variable: 'PLINTH_MAX_BATCH',
    description: 'Operations in one batch, at most.',
    defaultValue: 100,
    parse: integer(1, 10_000),
  }),
  idempotencyHours: setting({
    variable: 'PLINTH_IDEMPOTENCY_HOURS',
    description: 'Hours for which the answer to a write with an Idempotency-Key is kept.',
    defaultValue: 24,
    parse: integer(1, 8760, 'hours'),
  }),
  planCacheSize: setting({
    variable: 'PLINTH_PLAN_CACHE',
    description: 'Compiled request plans kept in memory, at most.',
    defaultValue: 2000,
    parse: integer(10, 100_000),
  }),
  shutdownTimeoutMs: setting({
    variable: 'PLINTH_SHUTDOWN_TIMEOUT',
    description: 'Milliseconds that requests under way get to finish when the server stops.',
    defaultValue: 10_000,
    parse: integer(0, 600_000, 'milliseconds'),
  }),
  logLevel: setting({
    variable: 'PLINTH_LOG_LEVEL',
    description: 'The least severe log lines to write.',
    defaultValue: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  }),
  logFormat: setting({
    variable: 'PLINTH_LOG_FORMAT',
    description: 'json for machines, pretty for people; auto is pretty on a terminal.',
    defaultValue: 'auto',
    parse: oneOf('auto', 'json', 'pretty'),
  }),
} as const;
