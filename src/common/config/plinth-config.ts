import { SETTINGS, type Setting } from './settings.js';

type SettingValue<S> = S extends Setting<infer T> ? T : never;
type ConfigValues = { readonly [K in keyof typeof SETTINGS]: SettingValue<(typeof SETTINGS)[K]> };

/** What the environment says, validated. Also the injection token. */
export abstract class PlinthConfig implements ConfigValues {
  abstract readonly port: number;
  abstract readonly host: string;
  abstract readonly databaseUrl: string | null;
  abstract readonly dataDir: string;
  abstract readonly schemas: readonly string[];
  abstract readonly poolSize: number;
  abstract readonly statementTimeoutMs: number;
  abstract readonly databaseWaitMs: number;
  abstract readonly bodyLimitBytes: number;
  abstract readonly maxLimit: number;
  abstract readonly maxBatchOperations: number;
  abstract readonly idempotencyHours: number;
  abstract readonly planCacheSize: number;
  abstract readonly shutdownTimeoutMs: number;
  abstract readonly logLevel: ConfigValues['logLevel'];
  abstract readonly logFormat: ConfigValues['logFormat'];
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

const KNOWN_VARIABLES = new Set<string>([
  ...Object.values(SETTINGS).map(({ variable }) => variable),
  // Read by the tests, not by the server.
  'PLINTH_TEST_DATABASE_URL',
  'PLINTH_CHINOOK_SQL',
]);

/**
 * Reads the configuration from the environment. An empty variable counts as not set; an unknown `PLINTH_` variable is
 * a mistake, because it is nearly always a misspelt one.
 * @throws ConfigError that lists every mistake
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
  overrides: Partial<ConfigValues> = {},
): PlinthConfig {
  const mistakes: { variable: string; message: string }[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const text = environment[setting.variable]?.trim() ?? '';
    const parsed = text === '' ? { value: setting.defaultValue } : setting.parse(text);
    if ('value' in parsed) values[name] = parsed.value;
    else mistakes.push({ variable: setting.variable, message: parsed.mistake });
  }
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('PLINTH_') && !KNOWN_VARIABLES.has(variable)) {
      mistakes.push({ variable, message: 'is not a setting of Plinth; `plinth config` lists them' });
    }
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze({ ...values, ...overrides }) as PlinthConfig;
}

/** What is in force, one line a setting, secrets masked. */
export function describeConfig(
  config: PlinthConfig,
): { readonly variable: string; readonly value: string; readonly description: string }[] {
  return Object.entries(SETTINGS).map(([name, setting]) => ({
    variable: setting.variable,
    value: printValue(config[name as keyof ConfigValues], setting.isSecret ?? false),
    description: setting.description,
  }));
}

function printValue(value: string | number | null | readonly string[], isSecret: boolean): string {
  if (value === null) return '';
  if (isSecret && typeof value === 'string') return maskPassword(value);
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** An address without its password. */
export function maskPassword(address: string): string {
  if (!URL.canParse(address)) return '***';
  const url = new URL(address);
  if (url.password !== '') url.password = '***';
  if (url.searchParams.has('password')) url.searchParams.set('password', '***');
  return url.toString();
}
