import { serverName } from './server-name.js';

/** What reading a text gives: the value, or a message that says what would be right. */
export type ReadResult<T> = { readonly value: T } | { readonly mistake: string };

/** Reads a variable's text. */
export interface SettingParser<T> {
  (text: string): ReadResult<T>;
  /** What it takes, in words for the documentation. */
  readonly takes: string;
  /** Of a number. */
  readonly unit?: string;
}

/** A variable of the environment: how its text is read, its default and what it means. */
export interface Setting<T> {
  readonly variable: string;
  readonly description: string;
  /** Shown in documentation where the value is computed or absent by default. */
  readonly defaultText?: string;
  readonly defaultValue: T;
  /** A text that is taken and differs from the default, for the documentation. */
  readonly example: string;
  readonly isSecret?: boolean;
  readonly parse: SettingParser<T>;
}

export const setting = <const T>(definition: Setting<T>): Setting<T> => definition;

/** A parser out of a function and of what it takes. */
export const parser = <T>(
  takes: string,
  read: (text: string) => ReadResult<T>,
  unit?: string,
): SettingParser<T> => Object.assign((text: string) => read(text), { takes, unit });

export const oneOf = <const T extends string>(...options: readonly T[]): SettingParser<T> =>
  parser<T>(options.map((option) => `\`${option}\``).join(', '), (text) => {
    const value = options.find((option) => option === text);
    return value === undefined ? { mistake: `must be one of ${options.join(', ')}` } : { value };
  });

export const integer = (minimum: number, maximum: number, unit = ''): SettingParser<number> =>
  parser<number>(
    `${minimum} to ${maximum}`,
    (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= minimum && value <= maximum
        ? { value }
        : { mistake: `must be a whole number${unit && ` of ${unit}`} from ${minimum} to ${maximum}` };
    },
    unit || undefined,
  );

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

export const bytes = (minimum: number, maximum: number): SettingParser<number> =>
  parser<number>(
    `${minimum} to ${maximum}, or with \`kb\`, \`mb\`, \`gb\``,
    (text) => {
      const match = /^(\d{1,12})\s*(b|kb|mb|gb)?$/i.exec(text);
      const value = match ? Number(match[1]) * (BYTE_UNITS[(match[2] ?? '').toLowerCase()] ?? 1) : Number.NaN;
      return value >= minimum && value <= maximum
        ? { value }
        : { mistake: `must be a size from ${minimum} to ${maximum} bytes, such as 65536, 512kb or 1mb` };
    },
    'bytes',
  );

/** A number, or a word. */
export const integerOr = <const W extends string>(
  word: W,
  minimum: number,
  maximum: number,
  unit = '',
): SettingParser<number | W> => {
  const number = integer(minimum, maximum, unit);
  return parser<number | W>(
    `${number.takes}, or \`${word}\``,
    (text) => {
      if (text === word) return { value: word };
      const read = number(text);
      return 'value' in read ? read : { mistake: `${read.mistake}, or ${word}` };
    },
    number.unit,
  );
};

export const flag: SettingParser<boolean> = parser<boolean>('`true`, `false`', (text) => {
  const read = oneOf('true', 'false')(text.toLowerCase());
  return 'value' in read ? { value: read.value === 'true' } : read;
});

export const databaseUrl: SettingParser<string> = parser<string>('an address `postgres://...`', (text) =>
  // Without the slashes it would be an address with no user and no password, which then nobody masks.
  /^postgres(ql)?:\/\//i.test(text) && URL.canParse(text)
    ? { value: text }
    : { mistake: 'must be a PostgreSQL address such as postgres://user:password@host:5432/database' },
);

/** Addresses between commas. A mistake tells the place and not the text, which may hold a password. */
export const databaseUrls: SettingParser<readonly string[]> = parser<readonly string[]>(
  'addresses `postgres://...` between commas',
  (text) => {
    const urls = text.split(',').map((part) => part.trim());
    const refused = urls.findIndex((url) => 'mistake' in databaseUrl(url));
    if (refused >= 0) {
      return {
        mistake:
          'must be PostgreSQL addresses such as postgres://user:password@host:5432/database, separated by commas ' +
          `(a comma in a password is %2C); number ${refused + 1} is none`,
      };
    }
    const names = urls.map(serverName);
    return new Set(names).size < names.length ? { mistake: 'names a server twice' } : { value: urls };
  },
);

export const ratio: SettingParser<number> = parser<number>('0 to 1', (text) => {
  const value = /^(\d|\d?\.\d{1,15})$/.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? { value } : { mistake: 'must be a number from 0 to 1, such as 0.25' };
});

export const httpUrl: SettingParser<string> = parser<string>(
  'an address `http://...` or `https://...`',
  (text) =>
    URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
      ? { value: text }
      : { mistake: 'must be an address such as http://127.0.0.1:4318' },
);

export const redisUrl: SettingParser<string> = parser<string>(
  'an address `redis://...` or `rediss://...`',
  (text) =>
    /^rediss?:\/\//i.test(text) && URL.canParse(text)
      ? { value: text }
      : { mistake: 'must be a Redis address such as redis://user:password@host:6379/0' },
);

export const filePath: SettingParser<string> = parser<string>('a path', (text) =>
  text.includes('\0') ? { mistake: 'must be a path' } : { value: text },
);

/** Parts between commas, each of which must be as `isValid` wants it. */
export const listOf = (
  takes: string,
  isValid: (part: string) => boolean,
  mistake: string,
): SettingParser<readonly string[]> =>
  parser<readonly string[]>(takes, (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const refused = parts.find((part) => !isValid(part));
    return refused === undefined ? { value: parts } : { mistake: `${mistake}; "${refused}" is none` };
  });
