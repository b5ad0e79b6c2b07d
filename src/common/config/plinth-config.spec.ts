import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, describeConfig, parseConfig } from './index.js';
import { PROVIDER_SETTINGS } from './provider-settings.js';
import { SETTING_TOPICS, SETTINGS } from './settings.js';

/** What is said of a value that is refused, or nothing. */
function mistakesOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map(({ variable, message }) => `${variable} ${message}`);
  }
}

describe('the configuration', () => {
  it('takes every default as a value of its own', () => {
    for (const { variable, value } of describeConfig(parseConfig({}))) {
      expect(mistakesOf({ [variable]: value })).toEqual([]);
    }
  });

  it('takes every example, and gives something else than the default for it', () => {
    const settings = [...Object.values(SETTINGS), ...Object.values(PROVIDER_SETTINGS)];
    for (const { variable, example, defaultValue, parse } of settings) {
      const read = parse(example);
      expect([variable, read]).toEqual([variable, { value: expect.anything() }]);
      expect([variable, read]).not.toEqual([variable, { value: defaultValue }]);
    }
  });

  it('has every setting in one topic of the documentation, in the same order', () => {
    const names = SETTING_TOPICS.flatMap(({ settings }) => Object.keys(settings));
    expect(names).toEqual(Object.keys(SETTINGS));
  });

  it('has every setting in its type', () => {
    const names = [...Object.keys(SETTINGS), 'providers'];
    expect(Object.keys(parseConfig({})).toSorted()).toEqual(names.toSorted());
  });

  it.each([
    [
      'PLINTH_RATE_LIMIT',
      ['600/min', '10/s', '5000/h', '1/d', '1000/15min', 'off'],
      ['600', '0/s', '-1/s', '1/year', '1/0s', '1.5/s', '/min', '1/40d', 'on'],
    ],
    [
      'PLINTH_TRUSTED_PROXIES',
      ['loopback', 'private', '10.0.0.1', '10.0.0.0/8, 2001:db8::/32', '::1', '::ffff:10.0.0.1'],
      [
        'all',
        '*',
        '0.0.0.0/0',
        '::/0',
        '10.0.0.0/33',
        '10.0.0.0/8/8',
        '10.0.0',
        '::1/129',
        'fe80::1%eth0',
        'proxy.example.com',
        'loopback,,private',
      ],
    ],
    [
      'PLINTH_CORS_ORIGINS',
      [
        '*',
        'https://app.example.com',
        'http://localhost:5173,https://*.example.com',
        'https://*.example.com:8443',
        'http://[::1]:3000',
      ],
      [
        'null',
        'app.example.com',
        'https://app.example.com/',
        'https://app.example.com/path',
        'https://App.example.com',
        'https://*',
        'https://*.com',
        'https://a.*.example.com',
        'https://app.example.com:443',
        'https://user@app.example.com',
        'ftp://app.example.com',
        '*, https://app.example.com',
        'https://*.[::1]',
      ],
    ],
    [
      'REDIS_URL',
      ['redis://localhost:6379/1', 'rediss://user:secret@redis.example.com'],
      ['localhost:6379', 'http://localhost'],
    ],
    [
      'PLINTH_RETURN_URLS',
      [
        'https://app.example.com',
        'https://app.example.com/account/, http://localhost:5173',
        'com.example.app:/signed-in',
      ],
      [
        'app.example.com',
        'http://app.example.com',
        'https://user@app.example.com',
        'https://app.example.com/?a=b',
        'javascript:alert(1)',
        'myapp:/signed-in',
        'https://app.example.com,',
      ],
    ],
    ['PLINTH_HSTS', ['0', '31536000'], ['-1', 'yes']],
    ['PLINTH_RATE_LIMIT_OUTAGE', ['open', 'closed'], ['ajar']],
  ])('%s takes %j and refuses %j', (variable, taken, refused) => {
    for (const value of taken) expect([value, mistakesOf({ [variable]: value })]).toEqual([value, []]);
    for (const value of refused)
      expect([value, mistakesOf({ [variable]: value }).length]).toEqual([value, 1]);
  });

  it('says what does not go together', () => {
    expect(mistakesOf({ PLINTH_TLS_CERT: 'cert.pem' })).toEqual([
      'PLINTH_TLS_KEY must be set with PLINTH_TLS_CERT',
    ]);
    expect(mistakesOf({ PLINTH_TLS_KEY: 'key.pem' })).toEqual([
      'PLINTH_TLS_CERT must be set with PLINTH_TLS_KEY',
    ]);
    expect(
      mistakesOf({ PLINTH_REQUEST_TIMEOUT: '1000', PLINTH_URL_LIMIT: '2kb', PLINTH_HEADER_LIMIT: '1kb' }),
    ).toEqual([
      'PLINTH_HEADERS_TIMEOUT must not be longer than PLINTH_REQUEST_TIMEOUT, which includes it',
      'PLINTH_URL_LIMIT must not be larger than PLINTH_HEADER_LIMIT, which includes it',
    ]);
  });

  it.each([
    ['PLINTH_PASSKEY_DOMAIN', 'https://example.com', 'such as example.com, in small letters, without scheme'],
    ['PLINTH_PASSKEY_DOMAIN', 'example.com:8443', 'such as example.com'],
    ['PLINTH_PASSKEY_DOMAIN', 'Example.com', 'in small letters'],
    ['PLINTH_PASSKEY_DOMAIN', '*.example.com', 'such as example.com'],
    ['PLINTH_PASSKEY_DOMAIN', 'example..com', 'such as example.com'],
    ['PLINTH_PASSKEY_DOMAIN', '127.0.0.1', 'no passkeys for IP addresses'],
    ['PLINTH_PASSKEY_DOMAIN', '[::1]', 'no passkeys for IP addresses'],
    ['PLINTH_PASSKEY_ORIGINS', 'app.example.com', 'such as https://app.example.com'],
    ['PLINTH_PASSKEY_ORIGINS', 'https://app.example.com/', 'such as https://app.example.com'],
    ['PLINTH_PASSKEY_ORIGINS', 'https://*.example.com', 'such as https://app.example.com'],
    ['PLINTH_PASSKEY_ORIGINS', 'http://app.example.com', 'on http:// at localhost only'],
    ['PLINTH_PASSKEYS', 'maybe', 'must be one of true, false'],
  ])('refuses %s=%s, and says what would be right', (variable, value, right) => {
    const mistakes = mistakesOf({ PLINTH_PUBLIC_URL: 'https://api.example.com', [variable]: value });
    expect(mistakes).toEqual([expect.stringMatching(`^${variable} `)]);
    expect(mistakes[0]).toContain(right);
  });

  it('refuses passkeys that no page could use', () => {
    const PLINTH_PUBLIC_URL = 'https://api.example.com';
    const PLINTH_PASSKEY_DOMAIN = 'example.com';
    const PLINTH_PASSKEY_ORIGINS = 'https://app.example.com,https://example.com:8443';
    const good: readonly Record<string, string>[] = [
      { PLINTH_PUBLIC_URL },
      { PLINTH_PUBLIC_URL: 'http://127.0.0.1:3000' },
      { PLINTH_PUBLIC_URL, PLINTH_PASSKEY_DOMAIN },
      { PLINTH_PUBLIC_URL, PLINTH_PASSKEY_DOMAIN, PLINTH_PASSKEY_ORIGINS },
      { PLINTH_PASSKEY_DOMAIN, PLINTH_PASSKEY_ORIGINS },
      { PLINTH_PASSKEY_DOMAIN: 'localhost' },
      { PLINTH_PASSKEY_ORIGINS: 'http://localhost:5173,http://app.localhost' },
      { PLINTH_PASSKEY_DOMAIN: 'intranet', PLINTH_PASSKEY_ORIGINS: 'https://intranet' },
    ];
    for (const environment of good) expect([environment, mistakesOf(environment)]).toEqual([environment, []]);
    const bad: readonly (readonly [Record<string, string>, string])[] = [
      [
        { PLINTH_PUBLIC_URL, PLINTH_PASSKEY_ORIGINS: 'https://app.example.com' },
        'PLINTH_PASSKEY_ORIGINS has https://app.example.com, which does not lie in api.example.com, the domain that passkeys are bound to: set PLINTH_PASSKEY_DOMAIN to a domain of all origins',
      ],
      [
        { PLINTH_PASSKEY_DOMAIN, PLINTH_PASSKEY_ORIGINS: 'https://app.example.com,https://badexample.com' },
        'PLINTH_PASSKEY_ORIGINS has https://badexample.com, which does not lie in example.com, the domain that passkeys are bound to: set PLINTH_PASSKEY_DOMAIN to a domain of all origins',
      ],
      [
        { PLINTH_PASSKEY_DOMAIN: 'com', PLINTH_PASSKEY_ORIGINS: 'https://example.com' },
        'PLINTH_PASSKEY_ORIGINS has https://example.com, which does not lie in com, the domain that passkeys are bound to: set PLINTH_PASSKEY_DOMAIN to a domain of all origins',
      ],
      [
        { PLINTH_PASSKEY_DOMAIN },
        'PLINTH_PASSKEY_ORIGINS must be set with PLINTH_PASSKEY_DOMAIN, or PLINTH_PUBLIC_URL: no page could use the passkeys of example.com',
      ],
      [
        { PLINTH_PUBLIC_URL, PLINTH_PASSKEY_DOMAIN: 'example.org' },
        'PLINTH_PASSKEY_DOMAIN must be api.example.com or a domain above it, as the pages of PLINTH_PUBLIC_URL use passkeys; or set PLINTH_PASSKEY_ORIGINS to the pages that do',
      ],
    ];
    for (const [environment, mistake] of bad) expect(mistakesOf(environment)).toEqual([mistake]);
  });

  it('takes standbys of a database, each once, and never tells their passwords', () => {
    const DATABASE_URL = 'postgres://a:s3cret@one/db';
    const replicas = (text: string): readonly string[] =>
      mistakesOf({ DATABASE_URL, DATABASE_REPLICA_URLS: text });
    expect(replicas('postgres://a:s3cret@two/db, postgresql://a:s3cret@three:5433/db')).toEqual([]);
    for (const wrong of ['two', 'postgres://two/db,', 'postgres://two/db,s3cret', 'http://two']) {
      const [mistake = '', ...others] = replicas(wrong);
      expect([wrong, mistake.includes('must be PostgreSQL addresses'), others]).toEqual([wrong, true, []]);
      expect(mistake).not.toContain('s3cret');
    }
    expect(replicas('postgres://two/db,postgres://two:5432/other')).toEqual([
      'DATABASE_REPLICA_URLS names a server twice',
    ]);
    expect(mistakesOf({ DATABASE_REPLICA_URLS: 'postgres://two/db' })).toEqual([
      'DATABASE_REPLICA_URLS must be set with DATABASE_URL, the server that they are standbys of',
    ]);
    const config = parseConfig({
      DATABASE_URL,
      DATABASE_REPLICA_URLS: 'postgres://a:s3cret@two/db,postgres://a:s3cret@three/db',
    });
    const printed = describeConfig(config).find(({ variable }) => variable === 'DATABASE_REPLICA_URLS');
    expect(printed?.value).toBe('postgres://a:***@two/db,postgres://a:***@three/db');
  });

  it('has the variables of each provider that is named, and knows those of no other', () => {
    const environment = {
      PLINTH_PUBLIC_URL: 'https://api.example.com',
      PLINTH_OIDC_PROVIDERS: 'google, my-idp',
      PLINTH_OIDC_GOOGLE_ISSUER: 'https://accounts.google.com',
      PLINTH_OIDC_GOOGLE_CLIENT_ID: 'g',
      PLINTH_OIDC_GOOGLE_CLIENT_SECRET: 's3cret',
      PLINTH_OIDC_MY_IDP_ISSUER: 'http://localhost:8080/realms/shop',
      PLINTH_OIDC_MY_IDP_CLIENT_ID: 'm',
      PLINTH_OIDC_MY_IDP_ROLE_MAP: 'cn=staff%2Cdc=acme=editor, owners=admin',
    };
    const config = parseConfig(environment);
    expect(config.providers).toMatchObject([
      { name: 'google', issuer: 'https://accounts.google.com', clientId: 'g', clientSecret: 's3cret' },
      {
        name: 'my-idp',
        roleMap: [
          { group: 'cn=staff,dc=acme', role: 'editor' },
          { group: 'owners', role: 'admin' },
        ],
      },
    ]);
    const printed = new Map(describeConfig(config).map(({ variable, value }) => [variable, value]));
    expect(printed.get('PLINTH_OIDC_GOOGLE_CLIENT_SECRET')).toBe('***');
    const map = printed.get('PLINTH_OIDC_MY_IDP_ROLE_MAP') ?? '';
    expect(parseConfig({ ...environment, PLINTH_OIDC_MY_IDP_ROLE_MAP: map }).providers).toEqual(
      config.providers,
    );
    expect(mistakesOf({ ...environment, PLINTH_OIDC_ACME_ISSUER: 'https://id.example.com' })).toEqual([
      'PLINTH_OIDC_ACME_ISSUER is not a setting of a provider that PLINTH_OIDC_PROVIDERS names',
    ]);
  });

  it('says what a provider lacks, with the name of the variable', () => {
    const PLINTH_PUBLIC_URL = 'https://api.example.com';
    const named = { PLINTH_PUBLIC_URL, PLINTH_OIDC_PROVIDERS: 'a' };
    const issuer = { PLINTH_OIDC_A_ISSUER: 'https://id.example.com', PLINTH_OIDC_A_CLIENT_ID: 'a' };
    expect(mistakesOf(named).map((mistake) => mistake.split(' ', 1)[0])).toEqual([
      'PLINTH_OIDC_A_CLIENT_ID',
      'PLINTH_OIDC_A_ISSUER',
    ]);
    const wrong: readonly (readonly [string, Record<string, string>])[] = [
      ['PLINTH_PUBLIC_URL', { ...issuer, PLINTH_OIDC_PROVIDERS: 'a', PLINTH_PUBLIC_URL: '' }],
      ['PLINTH_OIDC_PROVIDERS', { PLINTH_OIDC_PROVIDERS: 'A' }],
      ['PLINTH_OIDC_PROVIDERS', { PLINTH_OIDC_PROVIDERS: 'a,a' }],
      ['PLINTH_OIDC_A_ISSUER', { ...issuer, PLINTH_OIDC_A_ISSUER: 'http://id.example.com' }],
      ['PLINTH_OIDC_A_ISSUER', { ...issuer, PLINTH_OIDC_A_ISSUER: 'id.example.com' }],
      ['PLINTH_OIDC_A_TOKEN_URL', { ...issuer, PLINTH_OIDC_A_TOKEN_URL: 'https://id.example.com/t' }],
      ['PLINTH_OIDC_A_ROLE_MAP', { ...issuer, PLINTH_OIDC_A_ROLE_MAP: 'staff' }],
      ['PLINTH_OIDC_A_ROLE_MAP', { ...issuer, PLINTH_OIDC_A_ROLE_MAP: 'staff=public' }],
    ];
    for (const [variable, environment] of wrong) {
      const mistakes = mistakesOf({ ...named, ...environment });
      expect([variable, mistakes.map((mistake) => mistake.split(' ', 1)[0])]).toEqual([variable, [variable]]);
    }
  });

  it('takes secrets out of files, and nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'plinth-secrets-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'database-url');
    writeFileSync(file, 'postgres://a:secret@db/shop\n');
    expect(parseConfig({ DATABASE_URL_FILE: file }).databaseUrl).toBe('postgres://a:secret@db/shop');
    expect(parseConfig({ DATABASE_URL_FILE: '' }).databaseUrl).toBeNull();
    writeFileSync(file, 'secret');
    expect(mistakesOf({ DATABASE_URL_FILE: file })).toEqual([
      expect.stringMatching(/^DATABASE_URL_FILE must be a PostgreSQL address/),
    ]);
    expect(mistakesOf({ DATABASE_URL_FILE: `${file}x` })).toEqual([
      expect.stringMatching(/^DATABASE_URL_FILE cannot be read: ENOENT/),
    ]);
    expect(mistakesOf({ DATABASE_URL_FILE: file, DATABASE_URL: 'postgres://db/shop' })).toEqual([
      'DATABASE_URL_FILE must not be set with DATABASE_URL',
    ]);
    expect(mistakesOf({ PLINTH_POOL_SIZE_FILE: file })).toHaveLength(1);
  });

  it('prints rates as they were written, and no password', () => {
    const printed = new Map(
      describeConfig(
        parseConfig({ PLINTH_RATE_LIMIT: '10/15min', REDIS_URL: 'redis://a:secret@r:6379' }),
      ).map(({ variable, value }) => [variable, value]),
    );
    expect(printed.get('PLINTH_RATE_LIMIT')).toBe('10/15min');
    expect(printed.get('PLINTH_RATE_LIMIT_CREDENTIALS')).toBe('300/min');
    expect(printed.get('REDIS_URL')).toBe('redis://a:***@r:6379');
  });
});
