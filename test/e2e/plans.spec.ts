import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DATASET_TABLES, datasetIndexes, datasetRows } from '../../bench/dataset/dataset.js';
import {
  CREATE_COMMENT,
  GET_POST,
  LIST_FEED,
  LIST_PERIOD,
  LIST_POPULAR,
  SET_VIEWS,
  type ListStatements,
  type Statement,
} from '../../bench/limit/statements.js';
import { POLICIES } from '../../bench/servers/start-plinth.js';
import { prepareQuestions, WORKLOADS } from '../../bench/workloads.js';
import { startTestApp, type TestApp } from '../kit/app.js';
import {
  accessPaths,
  explain,
  nodesOf,
  type Explained,
  type PlanMode,
  type PlanNode,
} from '../kit/explain.js';
import { statementOf } from '../kit/statement-of.js';

/** As small as may be for the planner to choose as it does on the whole of it. */
const SIZES = { authors: 2000, posts: 20_000, comments: 60_000, tags: 200, postTags: 20_000 };

let app: TestApp;
let client: Client;
let key: string;
beforeAll(async () => {
  app = await startTestApp({
    sql: `${DATASET_TABLES} ${datasetRows(SIZES)} ${datasetIndexes(SIZES)}`,
  });
  // Sets the visibility map too, without which an index alone answers nothing.
  await app.database.query('VACUUM (ANALYZE)');
  key = await app.keyFor('reader', POLICIES);
  await app.keyFor('related', [
    { collection: 'posts', action: 'read', condition: 'author.email.endsWith("@example.com")' },
    { collection: 'comments', action: 'read', condition: 'post.status == "published"' },
    { collection: 'authors', action: 'read', condition: 'posts.exists(p, p.status == "published")' },
  ]);
  client = new Client({ connectionString: app.database.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await app?.close();
});

const ROLES = { reader: ['public', 'reader'], related: ['public', 'related'] } as const;

const read = (path: string, role: keyof typeof ROLES = 'reader'): Explained =>
  statementOf(app.server.app, { method: 'GET', path, roles: ROLES[role] });

const hand = ({ text }: Statement, values: readonly string[]): Explained => ({ text, values });

const questionOf = (id: string) => {
  const workload = WORKLOADS.find((one) => one.id === id);
  const [question] = workload ? prepareQuestions(workload, 1) : [];
  if (question === undefined) throw new Error(`There is no workload ${id}.`);
  const parameters = [...new URL(question.limit.path, 'http://x').searchParams.values()];
  return { ...question.plinth, parameters };
};

/** Nothing is read in another way than by hand, be it for given values or for any. */
async function expectSamePaths(own: Explained, byHand: Explained): Promise<void> {
  for (const mode of ['force_custom_plan', 'force_generic_plan'] satisfies PlanMode[]) {
    const paths = accessPaths(await explain(client, own, { mode }));
    expect([mode, ...paths]).toEqual([mode, ...accessPaths(await explain(client, byHand, { mode }))]);
    expect(paths.join()).not.toContain('Seq Scan');
  }
}

describe('the plans of the bench are those of hand-written SQL', () => {
  it.each([
    ['W2', LIST_POPULAR],
    ['W3', LIST_FEED],
    ['W6', LIST_PERIOD],
  ] satisfies [string, ListStatements][])(
    '%s, the first page and the next',
    async (id, { firstPage, nextPage }) => {
      const { path, parameters } = questionOf(id);
      await expectSamePaths(read(path), hand(firstPage, parameters));
      const { body } = await app.request('GET', path, { key });
      const last = body.data.at(-1);
      await expectSamePaths(
        read(`${path}&cursor=${body.page.next}`),
        hand(nextPage, [...parameters, last.published_at, String(last.id)]),
      );
    },
  );

  it.each([
    ['W1', GET_POST, ['4711']],
    ['W4', CREATE_COMMENT, ['1', '1', 'x']],
    ['W5', SET_VIEWS, ['1', '1']],
  ] satisfies [string, Statement, string[]][])('%s', async (id, statement, values) => {
    const own = statementOf(app.server.app, { ...questionOf(id), roles: ROLES.reader });
    await expectSamePaths(own, hand(statement, values));
  });
});

const sum = (plan: PlanNode, member: 'Rows Removed by Filter' | 'Actual Rows'): number =>
  [...nodesOf(plan)].reduce((total, node) => total + (node[member] ?? 0) * (node['Actual Loops'] ?? 1), 0);

const blocksOf = (plan: PlanNode): number =>
  (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);

describe('a page', () => {
  it.each([
    ['/api/comments?limit=5', 'reader'],
    ['/api/comments?limit=5&sort=-id&fields=id,post(title)', 'reader'],
    ['/api/posts?limit=1&sort=-published_at', 'reader'],
    ['/api/comments?limit=5&fields=id', 'related'],
  ] satisfies [string, keyof typeof ROLES][])(
    '%s costs as the 10,000th what it costs as the first',
    async (path, role) => {
      const limit = Number(/limit=(\d)/.exec(path)?.[1]);
      // A cursor is for all who may ask the same.
      const { body } = await app.admin('GET', `${path}&offset=${limit * 9998}`);
      const [first, late] = [
        await explain(client, read(path, role), { analyze: true }),
        await explain(client, read(`${path}&cursor=${body.page.next}`, role), { analyze: true }),
      ];
      expect(sum(late, 'Actual Rows')).toBeLessThanOrEqual(sum(first, 'Actual Rows') * 1.5 + 5);
      expect(sum(late, 'Rows Removed by Filter')).toBeLessThanOrEqual(
        sum(first, 'Rows Removed by Filter') + 20,
      );
      expect(blocksOf(late)).toBeLessThanOrEqual(blocksOf(first) * 1.5 + 10);
    },
  );
});

describe('a policy that looks at a related record', () => {
  it.each([
    ['/api/comments/4711', ['comments', 'posts']],
    ['/api/comments?filter=post_id == 7&sort=id', ['comments', 'posts']],
    ['/api/comments?limit=10&sort=-id', ['comments', 'posts']],
    ['/api/posts/4711?fields=id,title,comments(body)', ['posts', 'authors', 'comments']],
    ['/api/posts?filter=status == "published"&sort=-published_at&limit=10', ['posts', 'authors']],
    ['/api/authors/7', ['authors', 'posts']],
    ['/api/authors?limit=10&fields=name,posts(title)&posts.limit=2', ['authors', 'posts']],
  ])('makes no sequential scan of %s', async (path, tables) => {
    for (const mode of ['force_custom_plan', 'auto'] satisfies PlanMode[]) {
      const plan = await explain(client, read(encodeURI(path), 'related'), { mode });
      const paths = accessPaths(plan).join('\n');
      expect(paths).not.toContain('Seq Scan');
      for (const table of tables) expect(paths).toContain(table);
    }
  });
});
