import { readFileSync } from 'node:fs';
import { checkTogether } from './check-together.js';
import type { Rate } from './rate.js';
import { PROVIDER_FAMILY, PROVIDER_SETTINGS, type GroupRole } from './provider-settings.js';
import type { Setting } from './setting.js';
import { settingsOfMember } from './setting-family.js';
import { SETTINGS } from './settings.js';

type SettingValue<S> = S extends Setting<infer T> ? T : never;
type ValuesOf<S> = { readonly [K in keyof S]: SettingValue<S[K]> };
type ConfigValues = ValuesOf<typeof SETTINGS>;

/** A provider that people sign in with. */
export interface ProviderConfig extends ValuesOf<typeof PROVIDER_SETTINGS> {
  /** As addresses name it. */
  readonly name: string;
}

/** What the environment says, validated. Also the injection token. */
export abstract class PlinthConfig implements ConfigValues {
  abstract readonly port: number;
  abstract readonly host: string;
  abstract readonly workers: number | 'auto';
  abstract readonly databaseUrl: string | null;
  abstract readonly replicaUrls: readonly string[];
  abstract readonly replicaMaxLagMs: number;
  abstract readonly dataDir: string;
  abstract readonly schemas: readonly string[];
  abstract readonly poolSize: number;
  abstract readonly statementTimeoutMs: number;
  abstract readonly streamTimeoutMs: number;
  abstract readonly databaseWaitMs: number;
  abstract readonly idempotencyHours: number;
  abstract readonly publicUrl: string | null;
  abstract readonly secret: string | null;
  abstract readonly signUp: ConfigValues['signUp'];
  abstract readonly adminEmail: string | null;
  abstract readonly adminPassword: string | null;
  abstract readonly accessTokenMinutes: number;
  abstract readonly sessionDays: number;
  abstract readonly passwordMinLength: number;
  abstract readonly passwordStrength: number;
  abstract readonly hasTotp: boolean;
  abstract readonly hasPasskeys: boolean;
  abstract readonly passkeyDomain: string | null;
  abstract readonly passkeyOrigins: readonly string[];
  abstract readonly signInEventDays: number;
  abstract readonly allowsAnonymous: boolean;
  abstract readonly anonymousRate: Rate | null;
  abstract readonly anonymousDays: number;
  abstract readonly returnUrls: readonly string[];
  abstract readonly providerNames: readonly string[];
  abstract readonly tlsCertFile: string | null;
  abstract readonly tlsKeyFile: string | null;
  abstract readonly hstsSeconds: number;
  abstract readonly trustedProxies: readonly string[];
  abstract readonly corsOrigins: readonly string[];
  abstract readonly maxConnections: number;
  abstract readonly requestsPerConnection: number;
  abstract readonly headersTimeoutMs: number;
  abstract readonly requestTimeoutMs: number;
  abstract readonly sendTimeoutMs: number;
  abstract readonly keepAliveTimeoutMs: number;
  abstract readonly closeGraceMs: number;
  abstract readonly bodyLimitBytes: number;
  abstract readonly urlLimitBytes: number;
  abstract readonly headerLimitBytes: number;
  abstract readonly maxHeaders: number;
  abstract readonly maxLimit: number;
  abstract readonly maxRows: number;
  abstract readonly maxOffset: number;
  abstract readonly maxDepth: number;
  abstract readonly maxEmbeds: number;
  abstract readonly maxSortKeys: number;
  abstract readonly maxParameters: number;
  abstract readonly maxSearchLength: number;
  abstract readonly maxFilterLength: number;
  abstract readonly maxFilterDepth: number;
  abstract readonly maxFilterNodes: number;
  abstract readonly maxBatchOperations: number;
  abstract readonly queueLimit: number;
  abstract readonly queueWaitMs: number;
  abstract readonly maxEventLoopDelayMs: number;
  abstract readonly rateLimit: Rate | null;
  abstract readonly publicRateLimit: Rate | null;
  abstract readonly credentialRateLimit: Rate | null;
  abstract readonly redisUrl: string | null;
  abstract readonly rateLimitOutage: ConfigValues['rateLimitOutage'];
  abstract readonly planCacheSize: number;
  abstract readonly smtpUrl: string | null;
  abstract readonly mailFrom: string | null;
  abstract readonly mailTemplates: string | null;
  abstract readonly isEmailCodeOn: boolean;
  abstract readonly isPasswordResetOn: boolean;
  abstract readonly jobConcurrency: number;
  abstract readonly deadJobDays: number;
  abstract readonly shutdownTimeoutMs: number;
  abstract readonly logLevel: ConfigValues['logLevel'];
  abstract readonly logFormat: ConfigValues['logFormat'];
  abstract readonly logRequests: ConfigValues['logRequests'];
  abstract readonly slowRequestMs: number | 'off';
  abstract readonly metrics: ConfigValues['metrics'];
  abstract readonly metricsToken: string | null;
  abstract readonly otlpEndpoint: string | null;
  abstract readonly otlpTracesEndpoint: string | null;
  abstract readonly otlpProtocol: ConfigValues['otlpProtocol'];
  abstract readonly tracesExporter: ConfigValues['tracesExporter'];
  abstract readonly isTelemetryDisabled: boolean;
  abstract readonly serviceName: string | null;
  abstract readonly tracesSampler: ConfigValues['tracesSampler'];
  abstract readonly tracesSamplerRatio: number;
  abstract readonly spanQueueSize: number;
  abstract readonly spanBatchSize: number;
  abstract readonly spanDelayMs: number;
  abstract readonly spanExportTimeoutMs: number;
  /** One for each of `providerNames`. */
  abstract readonly providers: readonly ProviderConfig[];
}

/** All mistakes of the configuration at once, each with its variable's name. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly mistakes: readonly { readonly variable: string; readonly message: string }[]) {
    super(
      [
        'The configuration is not valid:',
        ...mistakes.map(({ variable, message }) => `  ${variable} ${message}`),
      ].join('\n'),
    );
  }
}

/** Of a secret, the variable that names a file with it, as containers are given secrets. */
const fileVariable = (variable: string): string => `${variable}_FILE`;

type Settings = Readonly<Record<string, Setting<unknown>>>;
type Environment = Readonly<Record<string, string | undefined>>;

const variablesOf = (settings: Settings): readonly string[] =>
  Object.values(settings).flatMap(({ variable, isSecret }) =>
    isSecret ? [variable, fileVariable(variable)] : [variable],
  );

const KNOWN_VARIABLES: readonly string[] = [
  ...variablesOf(SETTINGS),
  // Read by the tests, not by the server.
  'PLINTH_TEST_DATABASE_URL',
  'PLINTH_CHINOOK_SQL',
];

/**
 * Reads the configuration from the environment. A secret may stand in a file that the environment names. An empty
 * variable counts as not set; an unknown `PLINTH_` variable is
 * a mistake, because it is nearly always a misspelt one.
 * @throws ConfigError that lists every mistake
 */
export function parseConfig(environment: Environment, overrides: Partial<PlinthConfig> = {}): PlinthConfig {
  const mistakes: Mistake[] = [];
  const values = readValues(SETTINGS, environment, mistakes);
  const names = (values['providerNames'] ?? []) as readonly string[];
  const known = new Set(KNOWN_VARIABLES);
  const providers = names.map((name) => {
    const settings = settingsOfMember(PROVIDER_FAMILY, name);
    for (const variable of variablesOf(settings)) known.add(variable);
    return Object.freeze({ name, ...readValues(settings, environment, mistakes) });
  });
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('PLINTH_') && !known.has(variable)) {
      mistakes.push({ variable, message: explainUnknown(variable) });
    }
  }
  const config = Object.freeze({ ...values, providers, ...overrides }) as PlinthConfig;
  if (mistakes.length === 0) mistakes.push(...checkTogether(config));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

interface Mistake {
  readonly variable: string;
  readonly message: string;
}

function readValues(
  settings: Settings,
  environment: Environment,
  mistakes: Mistake[],
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const { variable, text, mistake } = readText(setting, environment);
    const parsed =
      mistake !== undefined
        ? { mistake }
        : text === ''
          ? { value: setting.defaultValue }
          : setting.parse(text);
    if ('value' in parsed) values[name] = parsed.value;
    else mistakes.push({ variable, message: parsed.mistake });
  }
  return values;
}

const explainUnknown = (variable: string): string =>
  variable.startsWith(PROVIDER_FAMILY.prefix)
    ? `is not a setting of a provider that ${PROVIDER_FAMILY.listedIn} names`
    : 'is not a setting of Plinth; `plinth config` lists them';

interface SettingText {
  /** Where it stands, which is where a mistake in it is. */
  readonly variable: string;
  /** Empty where it is not set. */
  readonly text: string;
  readonly mistake?: string;
}

function readText(
  { variable, isSecret = false }: Pick<Setting<unknown>, 'variable' | 'isSecret'>,
  environment: Environment,
): SettingText {
  const text = environment[variable]?.trim() ?? '';
  const inFile = fileVariable(variable);
  const file = isSecret ? (environment[inFile]?.trim() ?? '') : '';
  if (file === '') return { variable, text };
  if (text !== '') return { variable: inFile, text, mistake: `must not be set with ${variable}` };
  try {
    return { variable: inFile, text: readFileSync(file, 'utf8').trim() };
  } catch (error) {
    return { variable: inFile, text, mistake: `cannot be read: ${(error as Error).message}` };
  }
}

/** What is in force, one line a setting, secrets masked. */
export function describeConfig(config: PlinthConfig): readonly DescribedSetting[] {
  return [
    ...describeValues(SETTINGS, config),
    ...config.providers.flatMap((provider) =>
      describeValues(settingsOfMember(PROVIDER_FAMILY, provider.name), provider),
    ),
  ];
}

interface DescribedSetting {
  readonly variable: string;
  readonly value: string;
  readonly description: string;
}

type Printable = string | number | boolean | Rate | null | readonly (string | GroupRole)[];

const describeValues = <S extends Settings>(
  settings: S,
  values: { readonly [K in keyof S]: Printable },
): readonly DescribedSetting[] =>
  Object.entries(settings).map(([name, { variable, isSecret = false, description }]) => ({
    variable,
    value: printValue(values[name] ?? null, isSecret),
    description,
  }));

function printValue(value: Printable, isSecret: boolean): string {
  if (value === null) return '';
  const print = (part: string | GroupRole): string => {
    if (typeof part !== 'string') return `${encodeURIComponent(part.group)}=${part.role}`;
    return isSecret ? maskPassword(part) : part;
  };
  if (typeof value === 'string') return print(value);
  return isList(value) ? value.map(print).join(',') : String(value);
}

const isList = (value: Printable): value is readonly (string | GroupRole)[] => Array.isArray(value);

/** An address without its password. */
export function maskPassword(address: string): string {
  if (!URL.canParse(address)) return '***';
  const url = new URL(address);
  if (url.password !== '') url.password = '***';
  if (url.searchParams.has('password')) url.searchParams.set('password', '***');
  return url.toString();
}
