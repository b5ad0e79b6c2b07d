import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkExpression, parseExpression, type CheckEnvironment } from '@plinth/expression';
import { RawRecordSchema } from '@plinth/query';
import { readCatalog, type Catalog, type Collection } from '@plinth/schema';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.js';
import { generateDemoRows } from './demo.data.js';
import { installDemoTables } from './demo.database.js';
import { DEMO_POLICIES, DEMO_ROLES, type DemoPolicy } from './demo.policies.js';

const title = (policy: DemoPolicy, index: number): string =>
  `${index + 1}: ${policy.role} may ${policy.action} ${policy.collection}`;

describe('the policies of the sample database', () => {
  let database: TestDatabase;
  let catalog: Catalog;
  beforeAll(async () => {
    database = await createTestDatabase();
    const client = await database.pool.connect();
    await client.query('BEGIN');
    await installDemoTables(client, generateDemoRows());
    await client.query('COMMIT');
    catalog = await readCatalog(client, { schemas: ['public'] });
    client.release();
  });
  afterAll(() => database.drop());

  const collectionOf = (policy: DemoPolicy): Collection => {
    const collection = catalog.collections.get(policy.collection);
    if (!collection) throw new Error(`There is no collection "${policy.collection}".`);
    return collection;
  };
  const check = (
    text: string,
    environment: Omit<CheckEnvironment, 'record'>,
    collection: Collection,
  ): void => {
    checkExpression(parseExpression(text), {
      record: new RawRecordSchema(catalog, collection),
      ...environment,
    });
  };

  for (const [index, policy] of DEMO_POLICIES.entries()) {
    it(`type-check and name real fields, ${title(policy, index)}`, () => {
      const collection = collectionOf(policy);
      const unknown = (policy.fields ?? []).filter((name) => !collection.fields.has(name));
      expect(unknown).toEqual([]);
      if (policy.condition !== undefined) check(policy.condition, {}, collection);
      if (policy.check !== undefined) {
        const old = policy.action === 'update' ? new RawRecordSchema(catalog, collection) : undefined;
        check(policy.check, { old }, collection);
      }
      for (const [name, preset] of Object.entries(policy.presets ?? {})) {
        const field = collection.fields.get(name);
        if (!field) throw new Error(`There is no field "${name}" to preset.`);
        expect(policy.fields ?? []).not.toContain(name);
        check(preset, { expected: field.type }, collection);
      }
    });
  }

  it('belong to roles that are made, or to the public', () => {
    const roles = new Set(['public', ...DEMO_ROLES.map(({ name }) => name)]);
    expect(DEMO_POLICIES.filter(({ role }) => !roles.has(role))).toEqual([]);
  });

  it('give the public no field that tells of costs or people', () => {
    const collections = DEMO_POLICIES.filter(({ role }) => role === 'public');
    const fields = collections.flatMap(
      (policy) => policy.fields ?? Array.from(collectionOf(policy).fields.keys()),
    );
    expect(fields.filter((name) => /cost|margin|email|salary|note|customer/.test(name))).toEqual([]);
    expect(collections.every(({ action }) => action === 'read')).toBe(true);
  });

  it('give analysts no field that tells who somebody is', () => {
    const fields = DEMO_POLICIES.filter(({ role }) => role === 'analyst').flatMap(
      (policy) => policy.fields ?? Array.from(collectionOf(policy).fields.keys()),
    );
    expect(
      fields.filter((name) => /email|phone|first_name|last_name|full_name|company|author|note/.test(name)),
    ).toEqual([]);
  });
});
