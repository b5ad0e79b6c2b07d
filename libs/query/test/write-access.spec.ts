import type { AuthValues } from '@plinth/expression';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type QueryContext } from '../src/index.js';
import type { WriteResult } from '../src/write/index.js';
import { body, data, WriteWorld, type AccessTexts } from './write-kit.js';

let world: WriteWorld;

beforeAll(async () => {
  world = await WriteWorld.open(`
    CREATE TABLE teams (id int PRIMARY KEY, name text, is_open bool NOT NULL DEFAULT true);
    CREATE TABLE posts (
      id int PRIMARY KEY,
      owner text,
      title text,
      status text NOT NULL DEFAULT 'draft',
      secret text,
      updated_by text,
      team_id int REFERENCES teams
    );
  `);
});

beforeEach(async () => {
  await world.database.query('TRUNCATE posts, teams');
  await world.database.query(`INSERT INTO teams VALUES (1, 'open', true), (2, 'closed', false)`);
  await world.database.query(`
    INSERT INTO posts (id, owner, title, status, secret, team_id) VALUES
      (1, 'ann', 'one', 'draft', 's1', 1), (2, 'ann', 'two', 'published', 's2', 2), (3, 'ben', 'three', 'draft', 's3', 1)`);
});

afterAll(() => world.database.drop());

const ANN: AuthValues = { kind: 'user', id: 'ann', roles: ['member'], claims: {} };
const ALL = [{}];

const as = (rules: AccessTexts, others: Readonly<Record<string, AccessTexts>> = {}): QueryContext =>
  world.context('posts', { posts: rules, ...others }, ANN);

const stored = async (id: number): Promise<unknown> =>
  (await world.rows(`SELECT * FROM posts WHERE id = ${id}`))[0];

const patch = (context: QueryContext, id: number, value: object): Promise<WriteResult> =>
  world.run(world.writes.patch(context, String(id), body(value), []));

const checkFailed = (detail = '0'): object => ({ code: 'PL001', message: 'check-failed', detail });

describe('creating under rules', () => {
  it('refuses a record that breaks the check, and changes nothing', async () => {
    const context = as({ read: ALL, create: [{ check: 'owner == auth.id' }] });
    const mine = await world.run(world.writes.create(context, body({ id: 10, owner: 'ann' }), []));
    expect(mine).toMatchObject({ outcome: 'done', written: 1 });
    const records = body([
      { id: 11, owner: 'ann' },
      { id: 12, owner: 'ann', title: 'x' },
      { id: 13, owner: 'ben' },
      { id: 14, owner: 'ben', status: 'x' },
    ]);
    await expect(world.run(world.writes.create(context, records, []))).rejects.toMatchObject(
      checkFailed('2'),
    );
    expect(await world.rows('SELECT id FROM posts WHERE id > 10')).toEqual([]);
  });

  it('asks the check of each record by the fields that it sends', async () => {
    const context = as({
      read: ALL,
      create: [
        { fields: ['id', 'owner', 'title'], check: 'owner == auth.id' },
        { fields: ['id', 'owner', 'status'], check: 'status == "draft"' },
      ],
    });
    const create = (...records: object[]): Promise<WriteResult> =>
      world.run(world.writes.create(context, body(records), []));
    await create({ id: 20, owner: 'ann', title: 'x' }, { id: 21, owner: 'ben', status: 'draft' });
    await expect(create({ id: 22, owner: 'ann', status: 'published' })).rejects.toMatchObject(checkFailed());
    await expect(create({ id: 23, owner: 'ben', title: 'x', status: 'draft' })).rejects.toMatchObject(
      checkFailed(),
    );
    const several = create(
      { id: 24, owner: 'ann', title: 'x', status: 'draft' },
      { id: 25, owner: 'ann' },
      { id: 26, owner: 'ben', title: 'x' },
    );
    await expect(several).rejects.toMatchObject(checkFailed('2'));
    expect(await world.rows('SELECT id FROM posts WHERE id >= 22')).toEqual([]);
  });

  it('does not hold the fields of one record against another', async () => {
    const context = as({
      read: ALL,
      create: [
        { fields: ['id', 'owner'], check: 'owner == auth.id' },
        { fields: ['id', 'secret'], check: 'secret != null' },
      ],
    });
    const records = body([
      { id: 27, owner: 'ann' },
      { id: 28, secret: 's' },
    ]);
    expect(await world.run(world.writes.create(context, records, []))).toMatchObject({ written: 2 });
  });

  it('follows relations in a check', async () => {
    const context = as({ read: ALL, create: [{ check: 'team.is_open' }] });
    const create = (team_id: number | null): Promise<WriteResult> =>
      world.run(world.writes.create(context, body({ id: 30, team_id }), []));
    await expect(create(2)).rejects.toMatchObject(checkFailed());
    await expect(create(null)).rejects.toMatchObject(checkFailed());
    expect(await create(1)).toMatchObject({ outcome: 'done' });
  });

  it('answers nothing of a record that its writer cannot read', async () => {
    const context = as({ read: [{ condition: 'owner == auth.id' }], create: ALL });
    const theirs = await world.run(world.writes.create(context, body({ id: 40, owner: 'ben' }), []));
    expect(theirs).toEqual({ outcome: 'done', written: 1, created: 1, key: null, version: null, data: null });
    const records = body([
      { id: 41, owner: 'ben' },
      { id: 42, owner: 'ann' },
    ]);
    const both = await world.run(world.writes.create(context, records, [['fields', 'id']]));
    expect(both.written).toBe(2);
    expect(data(both)).toEqual([{ id: 42 }]);
  });

  it('hides fields in the answer row by row', async () => {
    const context = as({
      read: [{ fields: ['id', 'owner'] }, { condition: 'owner == auth.id', fields: ['secret'] }],
      create: ALL,
    });
    const records = body([
      { id: 50, owner: 'ann', secret: 'a' },
      { id: 51, owner: 'ben', secret: 'b' },
    ]);
    expect(data(await world.run(world.writes.create(context, records, [])))).toEqual([
      { id: 50, owner: 'ann', secret: 'a' },
      { id: 51, owner: 'ben', secret: null },
    ]);
  });

  it('sets presets, which nobody can send', async () => {
    const context = as({
      read: ALL,
      create: [
        { fields: ['id', 'title'], presets: { owner: { expression: 'auth.id' }, status: { value: 'new' } } },
        { fields: ['id'], presets: { status: { value: 'never' } } },
      ],
    });
    const result = await world.run(world.writes.create(context, body({ id: 60, title: 'x' }), []));
    expect(data(result)).toMatchObject({ owner: 'ann', status: 'new', title: 'x' });
    expect(() => world.writes.create(context, body({ id: 61, owner: 'ben' }), [])).toThrow(
      expect.objectContaining({
        errors: [expect.objectContaining({ pointer: '/owner', code: 'unknown-field' })],
      }),
    );
  });

  it('lets a rule that lists a field win over the preset of another', async () => {
    const context = as({
      read: ALL,
      create: [
        { fields: ['id'], presets: { owner: { expression: 'auth.id' } } },
        { fields: ['id', 'owner'] },
      ],
    });
    const result = await world.run(world.writes.create(context, body({ id: 62, owner: 'ben' }), []));
    expect(data(result)).toMatchObject({ owner: 'ben' });
  });

  it('is not there for who has no rule', () => {
    const context = as({ read: ALL });
    expect(() => world.writes.create(context, body({ id: 1 }), [])).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    );
  });
});

describe('updating under rules', () => {
  const OWN: AccessTexts = { read: ALL, update: [{ condition: 'owner == auth.id' }] };

  it('tells what cannot be seen from what may not be changed', async () => {
    expect(await patch(as(OWN), 1, { title: 'x' })).toMatchObject({ outcome: 'done' });
    expect(await patch(as(OWN), 3, { title: 'x' })).toMatchObject({
      outcome: 'forbidden',
      written: 0,
      data: null,
    });
    const blind = { ...OWN, read: [{ condition: 'owner == auth.id' }] };
    expect(await patch(as(blind), 3, { title: 'x' })).toMatchObject({ outcome: 'not-found', written: 0 });
    expect(await stored(3)).toMatchObject({ title: 'three' });
  });

  it('permits a field by the condition and the check of one and the same rule', async () => {
    const rules: AccessTexts = {
      read: ALL,
      update: [
        { condition: 'owner == auth.id', check: 'status == "draft"', fields: ['status', 'title'] },
        { condition: 'status == "draft"', check: 'title != "bad"', fields: ['status', 'title'] },
      ],
    };
    // Rule 1 holds before, rule 2 after: neither does both.
    await expect(patch(as(rules), 2, { status: 'published', title: 'fine' })).rejects.toMatchObject(
      checkFailed(),
    );
    expect(await patch(as(rules), 2, { status: 'draft', title: 'bad' })).toMatchObject({ outcome: 'done' });
    expect(await patch(as(rules), 3, { status: 'published', title: 'fine' })).toMatchObject({
      outcome: 'done',
    });
    expect(await patch(as(rules), 3, { title: 'fine' })).toMatchObject({ outcome: 'forbidden' });
  });

  it('judges field by field', async () => {
    const rules: AccessTexts = {
      read: ALL,
      update: [{ fields: ['title'] }, { condition: 'owner == auth.id', fields: ['status'] }],
    };
    expect(await patch(as(rules), 3, { title: 'x' })).toMatchObject({ outcome: 'done' });
    expect(await patch(as(rules), 3, { title: 'y', status: 'x' })).toMatchObject({ outcome: 'forbidden' });
    expect(await patch(as(rules), 1, { title: 'y', status: 'x' })).toMatchObject({ outcome: 'done' });
    expect(await stored(3)).toMatchObject({ title: 'x', status: 'draft' });
  });

  it('compares with the row as it was', async () => {
    const rules: AccessTexts = {
      read: ALL,
      update: [{ check: 'old.status == "draft" && (status == "draft" || status == "review")' }],
    };
    expect(await patch(as(rules), 1, { status: 'review' })).toMatchObject({ outcome: 'done' });
    await expect(patch(as(rules), 1, { status: 'draft' })).rejects.toMatchObject(checkFailed());
    expect(await stored(1)).toMatchObject({ status: 'review' });
  });

  it('cannot give a record away past a check, nor take one', async () => {
    const rules: AccessTexts = {
      read: ALL,
      update: [{ condition: 'owner == auth.id', check: 'owner == auth.id' }],
    };
    await expect(patch(as(rules), 1, { owner: 'ben' })).rejects.toMatchObject(checkFailed());
    expect(await patch(as(rules), 3, { owner: 'ann' })).toMatchObject({ outcome: 'forbidden' });
  });

  it('follows relations in conditions and checks', async () => {
    const rules: AccessTexts = {
      read: [{ condition: 'team.is_open' }],
      update: [{ condition: 'team.name == "open"', check: 'team.is_open' }],
    };
    expect(await patch(as(rules), 2, { title: 'x' })).toMatchObject({ outcome: 'not-found' });
    expect(await patch(as(rules), 1, { title: 'x' })).toMatchObject({ outcome: 'done' });
    await expect(patch(as(rules), 1, { team_id: 2 })).rejects.toMatchObject(checkFailed());
    const many = world.writes.patchMany(as(rules), body({ title: 'z' }), [
      ['filter', 'true'],
      ['fields', 'id'],
    ]);
    expect(data(await world.run(many))).toEqual([{ id: 1 }, { id: 3 }]);
  });

  it('follows relations where reading does not', async () => {
    const rules: AccessTexts = {
      read: ALL,
      update: [{ condition: 'team.is_open', presets: { updated_by: { expression: 'team.name' } } }],
      delete: [{ condition: 'team.is_open' }],
    };
    const remove = (id: string): Promise<WriteResult> => world.run(world.writes.delete(as(rules), id, []));
    expect(await patch(as(rules), 2, { title: 'x' })).toMatchObject({ outcome: 'forbidden' });
    expect(data(await patch(as(rules), 1, { title: 'x' }))).toMatchObject({ title: 'x', updated_by: 'open' });
    expect(await remove('2')).toMatchObject({ outcome: 'forbidden' });
    expect(await remove('1')).toMatchObject({ outcome: 'done', written: 1 });
  });

  it('sets presets by the first rule that applies', async () => {
    const rules: AccessTexts = {
      read: ALL,
      update: [
        {
          condition: 'owner == auth.id',
          fields: ['title'],
          presets: { updated_by: { expression: 'auth.id' } },
        },
        { condition: 'owner == "ben"', fields: ['title'], presets: { updated_by: { value: 'other' } } },
      ],
    };
    expect(data(await patch(as(rules), 1, { title: 'x' }))).toMatchObject({ updated_by: 'ann' });
    expect(data(await patch(as(rules), 3, {}))).toMatchObject({ updated_by: 'other', title: 'three' });
  });

  it('changes only readable, permitted rows by filter, and filters by what can be seen', async () => {
    const rules: AccessTexts = {
      read: [{ fields: ['id', 'owner', 'title'] }, { condition: 'owner == auth.id', fields: ['secret'] }],
      update: [{ condition: 'status == "draft"', fields: ['title'] }],
      delete: [{ condition: 'owner == auth.id' }],
    };
    const update = (filter: string): Promise<WriteResult> =>
      world.run(world.writes.patchMany(as(rules), body({ title: 'x' }), [['filter', filter]]));
    expect(await update('secret == "s3"')).toMatchObject({ written: 0 });
    expect(await update('secret == "s1"')).toMatchObject({ written: 1 });
    expect(await update('true')).toMatchObject({ written: 2 });
    const removed = await world.run(
      world.writes.deleteMany(as(rules), [
        ['filter', 'true'],
        ['fields', 'id,secret'],
      ]),
    );
    expect(data(removed)).toEqual([
      { id: 1, secret: 's1' },
      { id: 2, secret: 's2' },
    ]);
    expect(() => world.writes.deleteMany(as(rules), [['filter', 'status == "draft"']])).toThrow(
      /not.*status|status.*not/,
    );
  });

  it('cannot address a record whose key is hidden', async () => {
    const rules: AccessTexts = {
      read: [{ fields: ['title'] }, { condition: 'owner == auth.id', fields: ['id'] }],
      update: ALL,
    };
    expect(await patch(as(rules), 1, { title: 'x' })).toMatchObject({ outcome: 'done', key: ['1'] });
    expect(await patch(as(rules), 3, { title: 'x' })).toMatchObject({ outcome: 'not-found' });
  });
});

describe('deleting under rules', () => {
  const rules: AccessTexts = {
    read: [{ condition: 'owner == auth.id' }, { condition: 'status == "draft"' }],
    delete: [{ condition: 'owner == auth.id' }],
  };

  it('tells what cannot be seen from what may not be deleted', async () => {
    const remove = (id: string): Promise<WriteResult> => world.run(world.writes.delete(as(rules), id, []));
    expect(await remove('3')).toMatchObject({ outcome: 'forbidden', written: 0 });
    expect(await remove('1')).toMatchObject({ outcome: 'done', written: 1 });
    await world.database.query(`UPDATE posts SET status = 'x' WHERE id = 3`);
    expect(await remove('3')).toMatchObject({ outcome: 'not-found' });
  });
});

describe('replacing and upserting under rules', () => {
  const replace = (context: QueryContext, id: number, value: object): Promise<WriteResult> =>
    world.run(world.writes.replace(context, String(id), body(value), []));
  const raised = (message: string): object => ({ code: 'PL001', message });

  it('needs what an update of the row or a create needs', async () => {
    const rules: AccessTexts = {
      read: ALL,
      create: [{ check: 'owner == auth.id' }],
      update: [{ condition: 'owner == auth.id', check: 'status != "bad"' }],
    };
    expect(await replace(as(rules), 1, { owner: 'ann', title: 'new' })).toMatchObject({
      created: 0,
      written: 1,
    });
    expect(await stored(1)).toMatchObject({ title: 'new', secret: null, status: 'draft' });
    await expect(replace(as(rules), 3, { owner: 'ann' })).rejects.toMatchObject(raised('forbidden'));
    await expect(replace(as(rules), 1, { owner: 'ann', status: 'bad' })).rejects.toMatchObject(checkFailed());
    await expect(replace(as(rules), 70, { owner: 'ben' })).rejects.toMatchObject(checkFailed());
    expect(await replace(as(rules), 70, { owner: 'ann' })).toMatchObject({ created: 1 });
    expect(await stored(3)).toMatchObject({ owner: 'ben', title: 'three' });
  });

  it('does not say more of a hidden row than that the key is taken', async () => {
    const rules: AccessTexts = { read: [{ condition: 'owner == auth.id' }], create: ALL, update: ALL };
    await expect(replace(as(rules), 3, { title: 'x' })).rejects.toMatchObject(raised('conflict'));
    const upsert = world.writes.create(
      as(rules),
      body([
        { id: 1, title: 'x' },
        { id: 3, title: 'x' },
      ]),
      [['upsertOn', 'id']],
    );
    await expect(world.run(upsert)).rejects.toMatchObject({ ...raised('conflict'), detail: '1' });
    expect(await stored(1)).toMatchObject({ title: 'one' });
  });

  it('creates nothing where only an update is allowed', async () => {
    const rules: AccessTexts = { read: ALL, update: ALL };
    await expect(replace(as(rules), 80, { title: 'x' })).rejects.toMatchObject(raised('not-found'));
    const upsert = world.writes.create(as(rules), body([{ id: 1, title: 'x' }, { id: 80 }]), [
      ['upsertOn', 'id'],
    ]);
    await expect(world.run(upsert)).rejects.toMatchObject({ ...raised('forbidden'), detail: '1' });
  });

  it('updates nothing where only a create is allowed', async () => {
    const rules: AccessTexts = { read: ALL, create: ALL };
    await expect(replace(as(rules), 1, { title: 'x' })).rejects.toMatchObject(raised('forbidden'));
    expect(await replace(as(rules), 81, { title: 'x' })).toMatchObject({ created: 1 });
  });

  it('checks each record of an upsert as what it becomes', async () => {
    const rules: AccessTexts = {
      read: ALL,
      create: [{ check: 'title == "created"' }],
      update: [{ check: 'old.owner == owner && title == "updated"' }],
    };
    const upsert = (...records: object[]): Promise<WriteResult> =>
      world.run(world.writes.create(as(rules), body(records), [['upsertOn', 'id']]));
    expect(await upsert({ id: 90, title: 'created' }, { id: 1, title: 'updated' })).toMatchObject({
      written: 2,
      created: 1,
    });
    await expect(upsert({ id: 91, title: 'created' }, { id: 2, title: 'created' })).rejects.toMatchObject(
      checkFailed('1'),
    );
    await expect(upsert({ id: 2, title: 'updated' }, { id: 92, title: 'updated' })).rejects.toMatchObject(
      checkFailed('1'),
    );
    expect(await world.rows('SELECT id FROM posts WHERE id > 90')).toEqual([]);
  });
});
