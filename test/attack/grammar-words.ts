/** What the attacked world is made of, as far as anybody could guess: hidden names are among them. */
export type Kind = 'int' | 'decimal' | 'text' | 'bool' | 'time' | 'label';

export interface Shape {
  readonly fields: Readonly<Record<string, Kind>>;
  readonly one: Readonly<Record<string, string>>;
  readonly many: Readonly<Record<string, string>>;
}

export const SHAPES: Readonly<Record<string, Shape>> = {
  companies: {
    fields: { id: 'int', name: 'text', country: 'text', is_listed: 'bool', rating: 'int' },
    one: {},
    many: { users: 'users' },
  },
  users: {
    fields: { id: 'int', name: 'text', company_id: 'int', email: 'text', salary: 'int', manager_id: 'int' },
    one: { company: 'companies', manager: 'users' },
    many: { posts_by_author: 'posts', comments: 'comments', parcels: 'parcels', users: 'users' },
  },
  posts: {
    fields: {
      ...({ id: 'int', title: 'text', status: 'label', author_id: 'int', views: 'int' } as const),
      ...({ published_at: 'time', body: 'text', price: 'decimal' } as const),
    },
    one: { author: 'users' },
    many: { comments: 'comments', tags: 'tags', post_tags: 'post_tags' },
  },
  comments: {
    fields: { id: 'int', post_id: 'int', author_id: 'int', body: 'text', approved: 'bool' },
    one: { post: 'posts', author: 'users' },
    many: {},
  },
  tags: { fields: { id: 'int', name: 'text' }, one: {}, many: { posts: 'posts', post_tags: 'post_tags' } },
  post_tags: {
    fields: { post_id: 'int', tag_id: 'int', weight: 'int' },
    one: { post: 'posts', tag: 'tags' },
    many: {},
  },
  parcels: {
    fields: { code: 'text', label: 'text', owner_id: 'int', grams: 'int' },
    one: { owner: 'users' },
    many: {},
  },
};

export const COLLECTIONS: readonly string[] = [
  ...Object.keys(SHAPES),
  'secrets',
  'pg_class',
  'plinth.api_keys',
];
/** Of which no policy knows, or nobody. */
export const STRANGE_FIELDS = [
  'password',
  'token',
  'tax_no',
  'note',
  'editor_id',
  'content',
  'nothing',
  'ctid',
  'xmin',
];
export const STRANGE_RELATIONS = ['editor', 'posts_by_editor', 'secrets', 'nothing', 'record', 'api_keys'];

export const MACROS = ['exists', 'all', 'exists_one', 'filter', 'map'];
export const TEXT_FUNCTIONS = ['startsWith', 'endsWith', 'contains', 'matches'];
export const CASTS = [
  'int',
  'double',
  'string',
  'timestamp',
  'duration',
  'size',
  'bool',
  'dyn',
  'type',
  'has',
];
export const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];
export const OPERATORS = [...COMPARISONS, '+', '-', '*', '/', '%', 'in', '&&', '||', '=', '??'];

export const LITERALS: Readonly<Record<Kind, readonly string[]>> = {
  int: [
    '0',
    '1',
    '-1',
    '5',
    '40',
    '2147483648',
    '-9223372036854775808',
    '9223372036854775807',
    'null',
    '1 + 1',
  ],
  decimal: ['0.1', '50.0', '1e308', '1e-320', '-0.0', '3', 'null'],
  text: [
    '""',
    '"a"',
    '"%_"',
    '"\\\\"',
    "r'\\d'",
    '"é\u0301😀"',
    '"^(a+)+$"',
    '"User 01"',
    'null',
    '"a" + "b"',
  ],
  bool: ['true', 'false', 'null', '1 == 1'],
  time: [
    'now',
    'timestamp("2026-01-20T00:00:00Z")',
    'now - duration("24h")',
    'null',
    'timestamp("0001-01-01T00:00:00Z")',
  ],
  label: ['"published"', '"draft"', '"none"', 'null'],
};
export const STRANGE_LITERALS = [
  'b"\\xff"',
  '"2026-02-30"',
  '"\\u0000"',
  'auth.id',
  'auth.claims.user_id',
  'auth.roles',
  'timestamp("x")',
  'duration("-1e9s")',
  '[]',
  '[1, 2, "x", null]',
  '{"a": 1}',
  '1u',
  '0x7fffffffffffffff',
  '1.0 / 0.0',
  'record',
  'old',
  '[[[]]]',
  '9'.repeat(40),
  '-'.repeat(30) + '1',
  '!'.repeat(30) + 'true',
];

/** What spoiling puts in somewhere. */
export const FRAGMENTS = [
  "'",
  '"',
  '`',
  '\\',
  '\0',
  '﻿',
  '‮',
  '\ud800',
  '%',
  '%00',
  '%ff',
  ';',
  '--',
  '/*',
  '*/',
  '$1',
  '$$',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ',,',
  '.',
  '..',
  '/',
  '//',
  '?',
  '#',
  '&',
  '=',
  '\r\n',
  '	',
  '',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '1e9999',
  '-',
  '+',
  '~',
  '|',
  '((((((((((',
  '))))))))))',
  'a'.repeat(300),
  '('.repeat(200),
  '9'.repeat(400),
  '_id',
  'ſ',
  'ı',
];

export const SEARCHES = [
  'a',
  'post',
  '"user 01"',
  '-a',
  '(',
  "'",
  'or or',
  '*',
  'x:*',
  '\\',
  '&',
  '!!',
  'comment -1',
];
export const STRANGE_NUMBERS = ['0', '1001', '-1', '1.5', 'x', '', '99999999999999999999', '1e3', ' 1', '０'];
export const CURSORS = ['', 'x', 'eyJhIjoxfQ', 'A'.repeat(32), 'A'.repeat(4000), '%00', 'null'];
export const OTHER_PATHS = [
  '/',
  '/openapi.json',
  '/docs',
  '/docs/x.js',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/system/roles',
  '/system/keys',
  '/system/policies',
  '/system/collections/users',
  '/system/access/explain',
  '/api',
  '/api/',
  '/api/posts/1/comments',
  '/api//posts',
  '/api/posts/',
  '/API/posts',
  '/api/posts/aggregate/x',
  '/favicon.ico',
];
export const HEADERS: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['if-match', ['*', '"x"', 'W/"x"', '"1-0-1.x"', '', ',,,', 'x']],
  ['if-none-match', ['*', '"x"', '"1-0-1.x", W/"y"', '']],
  ['prefer', ['return=minimal', 'return=representation', 'return=x', ';;=', 'a'.repeat(300)]],
  ['idempotency-key', ['k1', 'k2', 'k3', '', 'a'.repeat(300), ',,,']],
  ['x-request-id', ['x', 'a'.repeat(300), '${x}', '']],
  ['accept', ['*/*', 'text/html', 'application/xml;q=0.1', '', ';;=']],
  ['accept-encoding', ['gzip', 'identity;q=0', '*']],
  ['traceparent', ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'x', '']],
  ['tracestate', ['a=1', ',,,', '=']],
  ['origin', ['null', 'https://example.com', 'x']],
  ['x-forwarded-for', ['127.0.0.1', 'x', '::', ',,,']],
  ['x-http-method-override', ['DELETE']],
  ['expect', ['100-continue', 'x', '']],
  ['content-encoding', ['gzip', 'identity', 'x']],
  ['cookie', ['a=b', ';;=', '__proto__=1']],
  ['range', ['bytes=0-1', 'x']],
  ['authorization', ['Bearer x', 'Basic eDp4', '']],
];
