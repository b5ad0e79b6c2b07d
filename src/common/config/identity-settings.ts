import { isIP } from 'node:net';
import { rate } from './load-settings.js';
import { isOrigin } from './origin.js';
import { providerNames, returnUrls } from './provider-settings.js';
import { parseRate, type Rate } from './rate.js';
import { flag, httpUrl, integer, listOf, oneOf, parser, setting } from './setting.js';

const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,189}$/;

/** What browsers take for a secure context. */
const isSecure = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || hostname === 'localhost' || hostname.endsWith('.localhost');

/** How people sign in, and how long that holds. */
export const IDENTITY_SETTINGS = {
  publicUrl: setting<string | null>({
    variable: 'PLINTH_PUBLIC_URL',
    description:
      'Where clients reach this server, such as https://api.example.com; links lead there, and access tokens name it as their issuer.',
    defaultText: 'where it listens',
    defaultValue: null,
    example: 'https://api.example.com',
    parse: parser<string>(httpUrl.takes, (text) => {
      const parsed = httpUrl(text);
      return 'mistake' in parsed ? parsed : { value: parsed.value.replace(/\/+$/, '') };
    }),
  }),
  secret: setting<string | null>({
    variable: 'PLINTH_SECRET',
    description:
      'Encrypts the private keys in the database: at least 32 characters, the same on all instances.',
    defaultText: 'made once, in the data folder',
    defaultValue: null,
    isSecret: true,
    example: 'n7Qe-a-long-and-random-text-of-your-own',
    parse: parser<string>('at least 32 characters', (text) =>
      text.length >= 32 ? { value: text } : { mistake: 'must be at least 32 characters, best random ones' },
    ),
  }),
  signUp: setting({
    variable: 'PLINTH_SIGN_UP',
    description: 'Who may make an account: open is everybody, invite who is invited, closed nobody.',
    defaultValue: 'open',
    example: 'closed',
    parse: oneOf('open', 'invite', 'closed'),
  }),
  adminEmail: setting<string | null>({
    variable: 'PLINTH_ADMIN_EMAIL',
    description: 'The first administrator, made at the start where there is none.',
    defaultText: 'a set-up link in the log',
    defaultValue: null,
    example: 'ada@example.com',
    parse: parser<string>('an e-mail address', (text) =>
      EMAIL.test(text) ? { value: text } : { mistake: 'must be an e-mail address' },
    ),
  }),
  adminPassword: setting<string | null>({
    variable: 'PLINTH_ADMIN_PASSWORD',
    description: "The first administrator's password.",
    defaultText: 'none',
    defaultValue: null,
    isSecret: true,
    example: 'a sentence that nobody guesses',
    parse: parser<string>('a password that the rules for passwords allow', (text) => ({ value: text })),
  }),
  accessTokenMinutes: setting({
    variable: 'PLINTH_ACCESS_TOKEN_MINUTES',
    description: 'Minutes for which an access token holds.',
    defaultValue: 10,
    example: '5',
    parse: integer(1, 60, 'minutes'),
  }),
  sessionDays: setting({
    variable: 'PLINTH_SESSION_DAYS',
    description: 'Days without use after which a session ends.',
    defaultValue: 30,
    example: '7',
    parse: integer(1, 400, 'days'),
  }),
  passwordMinLength: setting({
    variable: 'PLINTH_PASSWORD_MIN_LENGTH',
    description: 'Characters of a new password, at least.',
    defaultValue: 10,
    example: '12',
    parse: integer(8, 64),
  }),
  passwordStrength: setting({
    variable: 'PLINTH_PASSWORD_STRENGTH',
    description:
      'How hard to guess a new password must be, from 0 to 4, as the estimator zxcvbn counts; 3 withstands millions of tries.',
    defaultValue: 3,
    example: '4',
    parse: integer(0, 4),
  }),
  hasTotp: setting({
    variable: 'PLINTH_TOTP',
    description:
      'Whether people may add an authenticator app as a second factor; those who have one are asked for it either way.',
    defaultValue: true,
    example: 'false',
    parse: flag,
  }),
  hasPasskeys: setting({
    variable: 'PLINTH_PASSKEYS',
    description:
      'Whether people may add passkeys and sign in with them; as a second factor, those who have one are asked for it either way.',
    defaultValue: true,
    example: 'false',
    parse: flag,
  }),
  passkeyDomain: setting<string | null>({
    variable: 'PLINTH_PASSKEY_DOMAIN',
    description:
      'The domain that passkeys are bound to: that of the pages that use them, or one above. Passkeys of another one are lost.',
    defaultText: 'the host of `PLINTH_PUBLIC_URL`, or `localhost`',
    defaultValue: null,
    example: 'example.com',
    parse: parser<string>('a domain', (text) =>
      DOMAIN.test(text) && isIP(text) === 0
        ? { value: text }
        : {
            mistake:
              'must be a domain such as example.com, in small letters, without scheme, port and path; ' +
              'browsers have no passkeys for IP addresses',
          },
    ),
  }),
  passkeyOrigins: setting<readonly string[]>({
    variable: 'PLINTH_PASSKEY_ORIGINS',
    description: 'Web origins whose pages use passkeys.',
    defaultText: 'that of `PLINTH_PUBLIC_URL`, or `http://localhost` with any port',
    defaultValue: [],
    example: 'https://app.example.com',
    parse: listOf(
      'origins, separated by commas',
      (text) => isOrigin(text) && !text.includes('*') && isSecure(new URL(text)),
      'must be origins such as https://app.example.com, separated by commas; ' +
        'browsers have passkeys on http:// at localhost only',
    ),
  }),
  signInEventDays: setting({
    variable: 'PLINTH_SIGN_IN_EVENT_DAYS',
    description: 'Days for which the audit of sign-ins is kept.',
    defaultValue: 90,
    example: '365',
    parse: integer(1, 3650, 'days'),
  }),
  allowsAnonymous: setting({
    variable: 'PLINTH_ANONYMOUS',
    description: 'Whether people may begin without an account, and make one later.',
    defaultValue: false,
    example: 'true',
    parse: flag,
  }),
  anonymousRate: setting<Rate | null>({
    variable: 'PLINTH_ANONYMOUS_RATE',
    description: 'Users without an account that one address may make, at most (IPv6: one /64 network).',
    defaultValue: parseRate('30/h'),
    example: '100/h',
    parse: rate,
  }),
  anonymousDays: setting({
    variable: 'PLINTH_ANONYMOUS_DAYS',
    description:
      'Days after which anonymous users without a session are removed, where no record refers to them.',
    defaultValue: 90,
    example: '30',
    parse: integer(1, 3650, 'days'),
  }),
  returnUrls,
  providerNames: setting<readonly string[]>({
    variable: 'PLINTH_OIDC_PROVIDERS',
    description:
      'Providers that people sign in with, separated by commas; each has [variables of its own](#providers).',
    defaultText: 'none',
    defaultValue: [],
    example: 'google,acme',
    parse: providerNames,
  }),
} as const;
