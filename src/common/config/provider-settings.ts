import { BlockList, isIPv6 } from 'node:net';
import { parseNetwork } from './network.js';
import { flag, httpUrl, listOf, parser, setting, type ReadResult, type Setting } from './setting.js';
import type { SettingFamily } from './setting-family.js';

/** What a provider is called in addresses; in variables in capitals, with `_` for `-`. */
const PROVIDER_NAME = /^[a-z][a-z0-9-]{0,30}$/;
const ROLE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
/** Everybody, or every signed-in user, has these; no group gives them. */
const UNGIVEN_ROLES: ReadonlySet<string> = new Set(['public', 'authenticated', 'anonymous']);

const LOOPBACK = new BlockList();
for (const { address, prefix, family } of parseNetwork('loopback') ?? [])
  LOOPBACK.addSubnet(address, prefix, family);

/** Whether a host name of an address can only be this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

export const providerNames = parser<readonly string[]>('names between commas', (text) => {
  const names = text.split(',').map((name) => name.trim());
  const refused = names.find((name) => !PROVIDER_NAME.test(name));
  if (refused !== undefined) {
    return {
      mistake: `must be names of small letters, digits and "-", separated by commas; "${refused}" is none`,
    };
  }
  return new Set(names).size < names.length ? { mistake: 'names a provider twice' } : { value: names };
});

/** An address that secrets are sent to: by HTTPS, or on this machine. */
const endpoint = parser<string>('an address `https://...`, or `http://...` on this machine', readEndpoint);

function readEndpoint(text: string): ReadResult<string> {
  const parsed = httpUrl(text);
  const url = 'value' in parsed ? new URL(text) : null;
  const isSafe = url !== null && (url.protocol === 'https:' || isLoopbackHost(url.hostname));
  return isSafe && url.username === '' && url.password === '' && url.hash === ''
    ? { value: text }
    : { mistake: 'must be an address such as https://id.example.com, by HTTPS unless it is of this machine' };
}

const text = parser<string>('a text', (given) => ({ value: given }));

const member = parser<string>('the name of a member; `.` leads into an object', (given) =>
  /^[^\s.]{1,100}(\.[^\s.]{1,100}){0,4}$/.test(given)
    ? { value: given }
    : { mistake: 'must be the name of a member, such as groups or realm_access.roles' },
);

/** The role that the members of a group get. */
export interface GroupRole {
  readonly group: string;
  readonly role: string;
}

const roleMap = parser<readonly GroupRole[]>('`group=role` between commas', (given) => {
  const pairs: GroupRole[] = [];
  for (const part of given.split(',')) {
    // A group's name may have `=`, a role's has not.
    const at = part.lastIndexOf('=');
    const group = decode(part.slice(0, Math.max(at, 0)).trim());
    const role = part.slice(at + 1).trim();
    if (group === null || group === '' || !ROLE_NAME.test(role)) {
      return { mistake: `must be pairs such as staff=editor (a comma is %2C); "${part.trim()}" is none` };
    }
    if (UNGIVEN_ROLES.has(role)) return { mistake: `must not give the role ${role}, which is not given` };
    pairs.push({ group, role });
  }
  return { value: pairs };
});

function decode(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

const optional = <T>(
  definition: Omit<Setting<T | null>, 'defaultValue' | 'defaultText'>,
): Setting<T | null> => setting<T | null>({ defaultText: 'none', defaultValue: null, ...definition });

/** Of each provider that PLINTH_OIDC_PROVIDERS names. A variable is `PLINTH_OIDC_<NAME>_` and what stands here. */
export const PROVIDER_SETTINGS = {
  label: optional<string>({
    variable: 'LABEL',
    description: 'What the button of a sign-in page says.',
    example: 'Acme',
    parse: text,
  }),
  issuer: optional<string>({
    variable: 'ISSUER',
    description:
      'The issuer of OpenID Connect; everything else is discovered there. Leave it out for plain OAuth 2.',
    example: 'https://id.example.com',
    parse: endpoint,
  }),
  clientId: optional<string>({
    variable: 'CLIENT_ID',
    description: 'What the provider calls this application. Required.',
    example: 'plinth',
    parse: text,
  }),
  clientSecret: optional<string>({
    variable: 'CLIENT_SECRET',
    description: "The application's secret there; a public client has none.",
    isSecret: true,
    example: 'n7Qe-what-the-provider-gave',
    parse: text,
  }),
  scopes: setting<readonly string[]>({
    variable: 'SCOPES',
    description: 'What is asked for, separated by spaces.',
    defaultText: '`openid email profile`; nothing for plain OAuth 2',
    defaultValue: [],
    example: 'openid email profile groups',
    parse: parser<readonly string[]>('words', (given) => ({ value: given.split(/\s+/) })),
  }),
  groupsClaim: setting({
    variable: 'GROUPS_CLAIM',
    description: 'The claim, or the member of the userinfo, that lists the groups of somebody.',
    defaultValue: 'groups',
    example: 'realm_access.roles',
    parse: member,
  }),
  roleMap: setting<readonly GroupRole[]>({
    variable: 'ROLE_MAP',
    description: 'The roles that members of groups get, at each sign-in anew.',
    defaultText: 'none',
    defaultValue: [],
    example: 'staff=editor,owners=admin',
    parse: roleMap,
  }),
  allowsPrivateHosts: setting({
    variable: 'ALLOW_PRIVATE',
    description:
      "Whether endpoints that are discovered on other hosts than the issuer's may be at private addresses.",
    defaultValue: false,
    example: 'true',
    parse: flag,
  }),
  authorizationUrl: optional<string>({
    variable: 'AUTHORIZATION_URL',
    description: 'Of plain OAuth 2: where people are sent.',
    example: 'https://github.com/login/oauth/authorize',
    parse: endpoint,
  }),
  tokenUrl: optional<string>({
    variable: 'TOKEN_URL',
    description: 'Of plain OAuth 2: where the code is changed for a token.',
    example: 'https://github.com/login/oauth/access_token',
    parse: endpoint,
  }),
  userinfoUrl: optional<string>({
    variable: 'USERINFO_URL',
    description: 'Of plain OAuth 2: where it is asked who somebody is.',
    example: 'https://api.github.com/user',
    parse: endpoint,
  }),
  emailsUrl: optional<string>({
    variable: 'EMAILS_URL',
    description:
      'Of plain OAuth 2: where the addresses are, as GitHub lists them with `email`, `primary`, `verified`.',
    example: 'https://api.github.com/user/emails',
    parse: endpoint,
  }),
  subjectField: setting({
    variable: 'SUBJECT_FIELD',
    description: 'The member of the userinfo that tells people apart, and never changes.',
    defaultText: '`id`; `sub` of OpenID Connect',
    defaultValue: 'id',
    example: 'data.id',
    parse: member,
  }),
  emailField: setting({
    variable: 'EMAIL_FIELD',
    description: 'The member with the e-mail address.',
    defaultValue: 'email',
    example: 'mail',
    parse: member,
  }),
  emailVerifiedField: setting({
    variable: 'EMAIL_VERIFIED_FIELD',
    description: 'The member that says whether the provider knows the address to be theirs.',
    defaultValue: 'email_verified',
    example: 'verified',
    parse: member,
  }),
  nameField: setting({
    variable: 'NAME_FIELD',
    description: 'The member with the name, for the profile of a new account.',
    defaultValue: 'name',
    example: 'display_name',
    parse: member,
  }),
} as const;

export const returnUrls = setting<readonly string[]>({
  variable: 'PLINTH_RETURN_URLS',
  description:
    'Where links and sign-ins may lead back to, separated by commas: origins, or addresses with a path that stands for all below it.',
  defaultText: 'none',
  defaultValue: [],
  example: 'https://app.example.com,https://example.com/account/,com.example.app:/signed-in',
  parse: listOf('addresses between commas', isReturnUrl, 'must be addresses, separated by commas'),
});

/** `javascript:` and its like would run in the page that follows. */
const UNSAFE_SCHEME = /^(javascript|data|vbscript|file|blob|about|filesystem|view-source|ws|wss|ftp):$/;

function isReturnUrl(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const url = new URL(given);
  if (UNSAFE_SCHEME.test(url.protocol)) return false;
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') return false;
  // A scheme of a native app is named after a domain (RFC 8252), so that it is not everybody's.
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return url.protocol.includes('.');
  return url.protocol === 'https:' || isLoopbackHost(url.hostname);
}

export const PROVIDER_FAMILY = {
  listedIn: 'PLINTH_OIDC_PROVIDERS',
  prefix: 'PLINTH_OIDC_',
  settings: PROVIDER_SETTINGS,
} as const satisfies SettingFamily;
