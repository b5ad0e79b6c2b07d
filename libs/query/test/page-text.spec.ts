import { afterAll, beforeAll, expect, it } from 'vitest';
import { QueryFixture } from './fixture.js';

/** What `json_agg` puts between records, as text of every type that may carry it into a record. */
const SEPARATOR = String.raw`E'[{}, \n {}, \n {"x": "}, \\n {"}]'`;

let world: QueryFixture;
beforeAll(async () => {
  world = await QueryFixture.open(`
    CREATE DOMAIN document AS json;
    CREATE TYPE pair AS (a text, b json);
    CREATE TABLE plain (id int PRIMARY KEY, t text, b jsonb, ts text[]);
    CREATE TABLE documents (id int PRIMARY KEY, plain_id int REFERENCES plain, j json, d document, js json[], p pair);
    INSERT INTO plain SELECT i, ${SEPARATOR}, ${SEPARATOR}::jsonb, ARRAY[${SEPARATOR}] FROM generate_series(1, 5) i;
    INSERT INTO documents SELECT i, 1 + i % 2, ${SEPARATOR}::json, ${SEPARATOR}::json, ARRAY[${SEPARATOR}::json],
      ROW(${SEPARATOR}, ${SEPARATOR}::json)::pair FROM generate_series(1, 9) i;
  `);
});
afterAll(() => world.close());

it.each([
  ['plain', 'id,t,b,ts'],
  ['documents', 'id,j'],
  ['documents', 'id,d'],
  ['documents', 'id,js'],
  ['documents', 'id,p'],
  ['plain', 'id,documents(id)'],
  ['plain', 'id,documents(id,j,d)'],
  ['documents', 'id,plain(id,t,documents(id,p))'],
])('ends a page of %s with %s where it ends, whatever its texts look like', async (collection, fields) => {
  const whole = await world.list(collection, { fields });
  for (const limit of [1, 2, 3]) {
    const { data, next } = await world.list(collection, { fields, limit: String(limit) });
    expect(data).toEqual(whole.data.slice(0, limit));
    expect(next).not.toBeNull();
  }
});
