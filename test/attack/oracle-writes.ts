import type { TestResponse } from '../kit/app.js';
import { write, type Ask, type Question } from './oracle-question.js';

const post = (path: string, body: unknown, query: Record<string, string> = {}, headers = {}): Ask => ({
  method: 'POST',
  path,
  body,
  query,
  headers,
});
const patch = (path: string, body: unknown, query: Record<string, string> = {}, headers = {}): Ask => ({
  ...post(path, body, query, headers),
  method: 'PATCH',
});
const put = (path: string, body: unknown, headers = {}): Ask => ({
  ...post(path, body, {}, headers),
  method: 'PUT',
});
const remove = (path: string, query: Record<string, string> = {}, headers = {}): Ask => ({
  method: 'DELETE',
  path,
  query,
  headers,
});
const get = (path: string, query: Record<string, string> = {}, headers = {}): Ask => ({
  method: 'GET',
  path,
  query,
  headers,
});
const badge = (id: number, more: object = {}): object => ({
  id,
  owner_id: 1,
  label: `New ${id}`,
  level: 1,
  ...more,
});
const batch = (...operations: readonly object[]): Ask => post('/api/batch', { operations });
const operation = (method: string, path: string, body?: unknown, more: object = {}): object => ({
  method,
  path,
  ...(body === undefined ? {} : { body }),
  ...more,
});
/** Posts that are hidden as a whole: their rows are there in both worlds, with other values. */
const HIDDEN_POST = '/api/posts/1';
/** Of which most fields are hidden. */
const FOREIGN_BADGE = '/api/badges/1';
const OWN_BADGE = '/api/badges/4';
const withTag = (
  path: string,
  change: (tag: string) => Ask,
): readonly [Ask, (before: TestResponse) => Ask] => [
  get(path),
  (before) => change(before.headers.get('etag') ?? '"none"'),
];
const once = (key: string): Record<string, string> => ({ 'idempotency-key': key });

const upserts: readonly Question[] = [
  write(
    'upsert',
    'on a label of one’s own',
    post('/api/badges', badge(4, { label: 'Badge 4' }), { upsertOn: 'label' }),
  ),
  write(
    'upsert',
    'on a foreign label',
    post('/api/badges', badge(501, { label: 'Badge 1' }), { upsertOn: 'label' }),
  ),
  write('upsert', 'on a foreign key', post('/api/badges', badge(1), { upsertOn: 'id' })),
  write('upsert', 'on a hidden field', post('/api/badges', badge(502), { upsertOn: 'pin' })),
  write('upsert', 'on a field hidden elsewhere', post('/api/badges', badge(503), { upsertOn: 'level' })),
  write(
    'upsert',
    'of many, one of them foreign',
    post('/api/badges', [badge(504), badge(1)], { upsertOn: 'id' }),
  ),
  write(
    'upsert',
    'of a hidden post',
    post('/api/posts', { id: 1, title: 'Mine', status: 'draft' }, { upsertOn: 'id' }),
  ),
  write('upsert', 'replacing a foreign record', put(FOREIGN_BADGE, badge(1))),
  write('upsert', 'replacing a hidden record', put(HIDDEN_POST, { title: 'Mine', status: 'draft' })),
  write('upsert', 'replacing where a key is hidden', put('/api/parcels/mine-4', { label: 'Parcel 1' })),
];

const constraints: readonly Question[] = [
  write('unique violation', 'a label that is taken', patch(OWN_BADGE, { label: 'Badge 1' })),
  write('unique violation', 'a key that is taken', post('/api/badges', badge(1))),
  write(
    'unique violation',
    'the key of a hidden post',
    post('/api/posts', { id: 1, title: 'x', status: 'draft' }),
  ),
  write(
    'unique violation',
    'the second of many',
    post('/api/badges', [badge(510), badge(511, { label: 'Badge 2' })]),
  ),
  write(
    'unique violation',
    'many made equal',
    patch('/api/badges', { label: 'Same' }, { filter: 'level > 8' }),
  ),
  write(
    'foreign key',
    'to a hidden post',
    post('/api/comments', { id: 5001, post_id: 1, author_id: 1, approved: false }),
  ),
  write(
    'foreign key',
    'to no post',
    post('/api/comments', { id: 5002, post_id: 9999, author_id: 1, approved: false }),
  ),
  write('foreign key', 'to a foreign user', post('/api/badges', badge(512, { owner_id: 7 }))),
  write('foreign key', 'to no user', post('/api/badges', badge(513, { owner_id: 999 }))),
  write('check', 'of the database', patch(OWN_BADGE, { level: -1 })),
  write('check', 'of a policy', post('/api/posts', { id: 2001, title: 'x', status: 'published' })),
  write('check', 'of a policy, by giving away', patch(OWN_BADGE, { owner_id: 2 })),
  write('preset', 'that sets the author', post('/api/posts', { id: 2002, title: 'x', status: 'draft' })),
  write(
    'preset',
    'that is sent',
    post('/api/posts', { id: 2003, title: 'x', status: 'draft', author_id: 5 }),
  ),
  write('error text', 'of a wrong type', patch(FOREIGN_BADGE, { level: 'x' })),
  write('error text', 'of a hidden field', patch(OWN_BADGE, { pin: 'x' })),
  write('error text', 'of a number too large', patch(OWN_BADGE, { level: 99_999_999_999 })),
];

const conditions: readonly Question[] = [
  write('If-Match', 'any, on a foreign record', patch(FOREIGN_BADGE, { level: 2 }, {}, { 'if-match': '*' })),
  write('If-Match', 'any, on a hidden record', patch(HIDDEN_POST, { title: 'x' }, {}, { 'if-match': '*' })),
  write('If-Match', 'any, on no record', patch('/api/badges/999', { level: 2 }, {}, { 'if-match': '*' })),
  write(
    'If-Match',
    'a wrong one, on a foreign record',
    remove(FOREIGN_BADGE, {}, { 'if-match': '"1-0-1.x"' }),
  ),
  write(
    'If-Match',
    'a wrong one, on a hidden record',
    patch(HIDDEN_POST, { title: 'x' }, {}, { 'if-match': '"1-0-1.x"' }),
  ),
  write(
    'If-Match',
    'the right one',
    ...withTag(OWN_BADGE, (tag) => patch(OWN_BADGE, { level: 5 }, {}, { 'if-match': tag })),
  ),
  write(
    'If-Match',
    'the right one of a foreign record',
    ...withTag(FOREIGN_BADGE, (tag) => remove(FOREIGN_BADGE, {}, { 'if-match': tag })),
  ),
  write(
    'If-Match',
    'on a replacement',
    ...withTag(FOREIGN_BADGE, (tag) => put(FOREIGN_BADGE, badge(1), { 'if-match': tag })),
  ),
  write('If-None-Match', 'any, on a hidden record', get(HIDDEN_POST, {}, { 'if-none-match': '*' })),
  write('If-None-Match', 'any, on a foreign record', get(FOREIGN_BADGE, {}, { 'if-none-match': '*' })),
  write(
    'If-None-Match',
    'the right one',
    ...withTag(FOREIGN_BADGE, (tag) => get(FOREIGN_BADGE, {}, { 'if-none-match': tag })),
  ),
  write(
    'If-None-Match',
    'of another shape',
    ...withTag(FOREIGN_BADGE, (tag) => get(FOREIGN_BADGE, { fields: 'id' }, { 'if-none-match': tag })),
  ),
];

const idempotency: readonly Question[] = [
  write(
    'idempotency',
    'a repeated write',
    post('/api/badges', badge(520), {}, once('a')),
    post('/api/badges', badge(520), {}, once('a')),
  ),
  write(
    'idempotency',
    'another body',
    post('/api/badges', badge(521), {}, once('b')),
    post('/api/badges', badge(522), {}, once('b')),
  ),
  write(
    'idempotency',
    'a refusal, and again',
    patch(FOREIGN_BADGE, { level: 1 }, {}, once('c')),
    patch(FOREIGN_BADGE, { level: 1 }, {}, once('c')),
  ),
  write(
    'idempotency',
    'a hidden target',
    patch(HIDDEN_POST, { title: 'x' }, {}, once('d')),
    patch('/api/posts/3', { title: 'x' }, {}, once('d')),
  ),
  write(
    'idempotency',
    'many by what is hidden',
    patch('/api/badges', { level: 7 }, { filter: 'level > 20' }, once('e')),
    patch('/api/badges', { level: 7 }, { filter: 'level > 20' }, once('e')),
  ),
];

const batches: readonly Question[] = [
  write('batch', 'a hidden record', batch(operation('GET', '/posts/1'))),
  write(
    'batch',
    'a list by what is hidden',
    batch(operation('GET', '/badges', undefined, { query: { filter: '10 / level > 0', sort: '-level' } })),
  ),
  write(
    'batch',
    'a reference to a hidden value',
    batch(
      operation('GET', '/badges/1', undefined, { label: 'b' }),
      operation('PATCH', '/badges/4', { level: { $ref: 'b.level' } }),
    ),
  ),
  write(
    'batch',
    'a reference to a hidden field',
    batch(
      operation('GET', '/badges/1', undefined, { label: 'b' }),
      operation('PATCH', '/badges/4', { label: { $ref: 'b.pin' } }),
    ),
  ),
  write(
    'batch',
    'a reference to a hidden email',
    batch(
      operation('GET', '/users/2', undefined, { label: 'u' }),
      operation('PATCH', '/badges/4', { label: { $ref: 'u.email' } }),
    ),
  ),
  write(
    'batch',
    'a reference in a path',
    batch(
      operation('GET', '/users/2', undefined, { label: 'u' }),
      operation('GET', '/users', undefined, { id: { $ref: 'u.manager_id' } }),
    ),
  ),
  write(
    'batch',
    'the second refused',
    batch(operation('PATCH', '/badges/4', { level: 6 }), operation('PATCH', '/badges/1', { level: 6 })),
  ),
  write(
    'batch',
    'the second in conflict',
    batch(operation('PATCH', '/badges/4', { level: 6 }), operation('POST', '/badges', badge(2))),
  ),
  write(
    'batch',
    'an aggregate',
    batch(operation('GET', '/badges/aggregate', undefined, { query: { measures: 'sum(level)' } })),
  ),
];

const HIDDEN_CONDITIONS = [
  'level > 20',
  '10 / level > 0',
  'level == null',
  'owner.salary > 4000',
  'owner.email > "8"',
];
const bulk: readonly Question[] = [
  ...HIDDEN_CONDITIONS.map((filter) =>
    write('PATCH by filter', filter, patch('/api/badges', { level: 3 }, { filter, fields: 'id,level' })),
  ),
  ...HIDDEN_CONDITIONS.map((filter) =>
    write(
      'PATCH by filter, minimal',
      filter,
      patch('/api/badges', { level: 4 }, { filter }, { prefer: 'return=minimal' }),
    ),
  ),
  write('PATCH', 'a foreign record', patch(FOREIGN_BADGE, { level: 1 })),
  write('PATCH', 'a hidden record', patch(HIDDEN_POST, { title: 'x' })),
  write(
    'PATCH',
    'with relations in the answer',
    patch(OWN_BADGE, { level: 2 }, { fields: 'id,owner(email,manager(salary))' }),
  ),
  write('DELETE', 'a foreign record', remove(FOREIGN_BADGE)),
  write('DELETE', 'a hidden record', remove(HIDDEN_POST)),
  ...HIDDEN_CONDITIONS.map((filter) =>
    write('DELETE by filter', filter, remove('/api/badges', { filter }, { prefer: 'return=representation' })),
  ),
  write(
    'DELETE by filter',
    'comments by their post',
    remove('/api/comments', { filter: 'post.body > "8"' }, { prefer: 'return=representation' }),
  ),
];

const management: readonly Question[] = [
  write(
    'explain',
    'a hidden record',
    post('/system/access/explain', {
      actor: { roles: ['reader'] },
      collection: 'badges',
      action: 'read',
      key: '1',
    }),
  ),
  write(
    'explain',
    'without a record',
    post('/system/access/explain', { actor: { roles: ['reader'] }, collection: 'badges', action: 'read' }),
  ),
  ...[
    '/openapi.json',
    '/docs',
    '/metrics',
    '/health/ready',
    '/system/collections',
    '/system/keys',
    '/system/policies',
  ].map((path) => write('documents and management', path, get(path))),
];

/** In an order that leaves something to delete. */
export const WRITES: readonly Question[] = [
  ...management,
  ...conditions,
  ...upserts,
  ...constraints,
  ...idempotency,
  ...batches,
  ...bulk,
];
