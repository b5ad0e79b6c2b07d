import { HTTP_SETTINGS } from './http-settings.js';
import { IDENTITY_SETTINGS } from './identity-settings.js';
import { LIMIT_SETTINGS } from './limit-settings.js';
import { LOAD_SETTINGS } from './load-settings.js';
import { MAIL_SETTINGS } from './mail-settings.js';
import { OBSERVABILITY_SETTINGS } from './observability-settings.js';
import { PROVIDER_FAMILY } from './provider-settings.js';
import type { SettingFamily } from './setting-family.js';
import {
  databaseUrl,
  databaseUrls,
  filePath,
  integer,
  integerOr,
  oneOf,
  parser,
  setting,
  type Setting,
} from './setting.js';

/** Schemas of PostgreSQL's and of Plinth's own. */
const RESERVED_SCHEMA = /^(pg_.*|information_schema|plinth|plinth_jobs)$/;

const SERVER_SETTINGS = {
  port: setting({
    variable: 'PORT',
    description: 'The TCP port to listen on; 0 takes a free one.',
    defaultValue: 3000,
    example: '8080',
    parse: integer(0, 65_535),
  }),
  host: setting({
    variable: 'HOST',
    description: 'The address to listen on. Set 0.0.0.0 to be reached from other machines.',
    defaultValue: '127.0.0.1',
    example: '0.0.0.0',
    parse: parser<string>('an IP address or a host name', (text) =>
      /^[A-Za-z0-9.:_-]{1,253}$/.test(text)
        ? { value: text }
        : { mistake: 'must be an IP address or a host name' },
    ),
  }),
  workers: setting<number | 'auto'>({
    variable: 'PLINTH_WORKERS',
    description:
      'Processes that serve requests, all on one port; auto is one for each processor. With 1 there is no other process.',
    defaultValue: 1,
    example: 'auto',
    parse: integerOr('auto', 1, 256),
  }),
  shutdownTimeoutMs: setting({
    variable: 'PLINTH_SHUTDOWN_TIMEOUT',
    description: 'Milliseconds that requests under way get to finish when the server stops.',
    defaultValue: 10_000,
    example: '30000',
    parse: integer(0, 600_000, 'milliseconds'),
  }),
} as const;

const DATABASE_SETTINGS = {
  databaseUrl: setting<string | null>({
    variable: 'DATABASE_URL',
    description: 'The PostgreSQL (14 or later) to use. Without it, Plinth starts an embedded one.',
    defaultText: 'embedded PostgreSQL',
    defaultValue: null,
    isSecret: true,
    example: 'postgres://shop_api:secret@db.internal:5432/shop?sslmode=verify-full',
    parse: databaseUrl,
  }),
  replicaUrls: setting<readonly string[]>({
    variable: 'DATABASE_REPLICA_URLS',
    description: 'Standbys of the database at DATABASE_URL that records are read from, separated by commas.',
    defaultText: 'none',
    defaultValue: [],
    isSecret: true,
    example: 'postgres://shop_api:secret@standby.internal:5432/shop',
    parse: databaseUrls,
  }),
  replicaMaxLagMs: setting({
    variable: 'PLINTH_REPLICA_MAX_LAG',
    description: 'Milliseconds that a standby may be behind; one that is further behind is left out.',
    defaultValue: 10_000,
    example: '2000',
    parse: integer(1000, 3_600_000, 'milliseconds'),
  }),
  dataDir: setting({
    variable: 'PLINTH_DATA_DIR',
    description: 'The folder for the embedded PostgreSQL and other local state.',
    defaultValue: '.plinth',
    example: '/var/lib/plinth/data',
    parse: filePath,
  }),
  schemas: setting<readonly string[]>({
    variable: 'PLINTH_SCHEMAS',
    description:
      'The database schemas to expose, separated by commas; collections of the first one have no prefix in their name.',
    defaultValue: ['public'],
    example: 'public,billing',
    parse: parser<readonly string[]>('schema names, separated by commas', (text) => {
      const names = text.split(',').map((name) => name.trim());
      const refused = names.find((name) => name === '' || RESERVED_SCHEMA.test(name));
      if (refused !== undefined) {
        return { mistake: `must be schema names separated by commas; "${refused}" cannot be exposed` };
      }
      return new Set(names).size < names.length ? { mistake: 'names a schema twice' } : { value: names };
    }),
  }),
  poolSize: setting({
    variable: 'PLINTH_POOL_SIZE',
    description: 'Connections for requests, at most, of each process; each has 8 more for other things.',
    defaultValue: 10,
    example: '20',
    parse: integer(1, 1000),
  }),
  statementTimeoutMs: setting({
    variable: 'PLINTH_STATEMENT_TIMEOUT',
    description: 'Milliseconds after which a statement of a request is cancelled; 0 means never.',
    defaultValue: 30_000,
    example: '5000',
    parse: integer(0, 86_400_000, 'milliseconds'),
  }),
  streamTimeoutMs: setting({
    variable: 'PLINTH_STREAM_TIMEOUT',
    description:
      'Milliseconds that an answer of more than 1000 records may take, its client included; 0 means for ever.',
    defaultValue: 600_000,
    example: '60000',
    parse: integer(0, 86_400_000, 'milliseconds'),
  }),
  databaseWaitMs: setting({
    variable: 'PLINTH_DATABASE_WAIT',
    description: 'Milliseconds to wait at start for a database that cannot be reached yet.',
    defaultValue: 30_000,
    example: '120000',
    parse: integer(0, 3_600_000, 'milliseconds'),
  }),
  idempotencyHours: setting({
    variable: 'PLINTH_IDEMPOTENCY_HOURS',
    description: 'Hours for which the answer to a write with an Idempotency-Key is kept.',
    defaultValue: 24,
    example: '72',
    parse: integer(1, 8760, 'hours'),
  }),
  planCacheSize: setting({
    variable: 'PLINTH_PLAN_CACHE',
    description: 'Compiled request plans kept in memory, at most.',
    defaultValue: 2000,
    example: '10000',
    parse: integer(10, 100_000),
  }),
} as const;

const JOB_SETTINGS = {
  jobConcurrency: setting({
    variable: 'PLINTH_JOB_CONCURRENCY',
    description: 'Background jobs that a process works at once; 0 leaves them to others.',
    defaultValue: 4,
    example: '0',
    parse: integer(0, 100),
  }),
  deadJobDays: setting({
    variable: 'PLINTH_DEAD_JOB_DAYS',
    description: 'Days for which a job is kept that has failed too often.',
    defaultValue: 30,
    example: '7',
    parse: integer(1, 3650, 'days'),
  }),
} as const;

const LOG_SETTINGS = {
  logLevel: setting({
    variable: 'PLINTH_LOG_LEVEL',
    description: 'The least severe log lines to write.',
    defaultValue: 'info',
    example: 'warn',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  }),
  logFormat: setting({
    variable: 'PLINTH_LOG_FORMAT',
    description: 'json for machines, pretty for people; auto is pretty on a terminal.',
    defaultValue: 'auto',
    example: 'json',
    parse: oneOf('auto', 'json', 'pretty'),
  }),
} as const;

/** Every setting, once. `plinth config`, the validation at start and the configuration page are made from this list. */
export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...DATABASE_SETTINGS,
  ...IDENTITY_SETTINGS,
  ...MAIL_SETTINGS,
  ...JOB_SETTINGS,
  ...HTTP_SETTINGS,
  ...LIMIT_SETTINGS,
  ...LOAD_SETTINGS,
  ...LOG_SETTINGS,
  ...OBSERVABILITY_SETTINGS,
} as const;

export interface SettingTopic {
  readonly title: string;
  /** A paragraph in Markdown. */
  readonly introduction: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
  /** Variables that are there once for each of several names. */
  readonly family?: SettingFamily;
}

/** The same by topic, as the documentation has them. */
export const SETTING_TOPICS: readonly SettingTopic[] = [
  {
    title: 'Server',
    introduction:
      'Where Plinth listens, with how many processes, and how it stops. [deployment.md](deployment.md) has the rest.',
    settings: SERVER_SETTINGS,
  },
  {
    title: 'Database',
    introduction: 'What records are read from and written to; see [database.md](database.md).',
    settings: DATABASE_SETTINGS,
  },
  {
    title: 'Identity',
    introduction: 'Who may make an account, and how long a sign-in holds; see [auth.md](auth.md).',
    settings: IDENTITY_SETTINGS,
  },
  {
    title: 'Providers',
    introduction:
      'Each of `PLINTH_OIDC_PROVIDERS` has these, with its name in capitals and `_` for `-`: of `my-idp`, `PLINTH_OIDC_MY_IDP_ISSUER`; see [auth.md](auth.md#sign-in-with-a-provider).',
    settings: {},
    family: PROVIDER_FAMILY,
  },
  {
    title: 'Mail',
    introduction: 'What is mailed, and how; see [mail.md](mail.md).',
    settings: MAIL_SETTINGS,
  },
  {
    title: 'Jobs',
    introduction: 'Work in the background; see [jobs.md](jobs.md).',
    settings: JOB_SETTINGS,
  },
  {
    title: 'Connections of clients',
    introduction:
      'TLS, proxies, pages of other origins, and the time that clients may take; see [security.md](security.md#tls).',
    settings: HTTP_SETTINGS,
  },
  {
    title: 'Limits of one request',
    introduction:
      'What asks for more is refused before it costs anything; see [security.md](security.md#limits-of-one-request).',
    settings: LIMIT_SETTINGS,
  },
  {
    title: 'Load and rates',
    introduction: 'How much is too much; see [security.md](security.md#overload).',
    settings: LOAD_SETTINGS,
  },
  {
    title: 'Logs, metrics and traces',
    introduction:
      'What is told of the running server; see [observability.md](observability.md). Variables that begin with `OTEL` ' +
      "are OpenTelemetry's own.",
    settings: { ...LOG_SETTINGS, ...OBSERVABILITY_SETTINGS },
  },
];
