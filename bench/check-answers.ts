import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { withClient } from './dataset/open-dataset.js';
import type { PreparedRequest } from './load/prepared-request.js';
import { prepareQuestions, type Question, type Workload } from './workloads.js';

/** Where both sides are. */
export interface Sides {
  readonly plinth: { readonly url: string; readonly key: string };
  readonly limit: { readonly url: string };
  readonly databaseUrl: string;
}

interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly body: Json;
}

type Json = Readonly<Record<string, unknown>>;

interface Page {
  readonly next: string | null;
  readonly total?: number;
}

/** Questions of each workload that are compared before it is timed. */
const SAMPLE = 25;
/** A draft, which the role may not read. */
const HIDDEN_POST = 8;

/** Holds both sides' answers against each other and against the database; throws where one of them is wrong. */
export async function checkAnswers(sides: Sides, workloads: readonly Workload[]): Promise<void> {
  await checkHidden(sides);
  for (const workload of workloads) {
    for (const question of prepareQuestions(workload, SAMPLE)) {
      await CHECKS[workload.kind](sides, question, workload);
    }
  }
}

type Check = (sides: Sides, question: Question, workload: Workload) => Promise<void>;

const CHECKS: Readonly<Record<Workload['kind'], Check>> = {
  record: async (sides, question) => {
    const { plinth, limit } = await askBoth(sides, question, 200);
    assert.deepEqual(plinth.body, limit.body);
    assert.equal(plinth.body['status'], 'published');
  },

  list: async (sides, question, { pageSize }) => {
    const first = await askBoth(sides, question, 200);
    const nexts = comparePages(first, pageSize);
    const second = await askBoth(
      sides,
      {
        plinth: withCursor(question.plinth, nexts.plinth),
        limit: withCursor(question.limit, nexts.limit),
      },
      200,
    );
    comparePages(second, pageSize);
    assert.equal(isDeepStrictEqual(first.plinth.body['data'], second.plinth.body['data']), false);
  },

  create: async (sides, question) => {
    const { plinth, limit } = await askBoth(sides, question, 201);
    const sent = JSON.parse(question.plinth.body) as Json;
    for (const { body, location } of [plinth, limit]) {
      assert.ok(location?.endsWith(`/comments/${String(body['id'])}`), `Location is ${location}`);
      const [saved] = await query(
        sides.databaseUrl,
        'SELECT to_jsonb(c) AS record FROM comments c WHERE id = $1',
        [body['id']],
      );
      assert.deepEqual(body, saved?.['record']);
      assert.deepEqual({ ...body, ...sent }, body);
    }
  },

  update: async (sides, question) => {
    const { plinth, limit } = await askBoth(sides, question, 200);
    assert.deepEqual(plinth.body, limit.body);
    const [saved] = await query(
      sides.databaseUrl,
      'SELECT to_jsonb(p) AS record FROM posts p WHERE id = $1',
      [plinth.body['id']],
    );
    assert.deepEqual(plinth.body, saved?.['record']);
    const sent = JSON.parse(question.plinth.body) as Json;
    assert.equal(plinth.body['views'], sent['views']);
  },
};

/** What is not published is there for neither side, and for nobody without a key. */
async function checkHidden(sides: Sides): Promise<void> {
  const get = (path: string): PreparedRequest => ({ method: 'GET', path, body: '' });
  const patch = (path: string): PreparedRequest => ({ method: 'PATCH', path, body: '{"views":1}' });
  const before = await query(sides.databaseUrl, 'SELECT views FROM posts WHERE id = $1', [HIDDEN_POST]);
  for (const request of [get, patch]) {
    await askBoth(
      sides,
      { plinth: request(`/api/posts/${HIDDEN_POST}`), limit: request(`/posts/${HIDDEN_POST}`) },
      404,
    );
  }
  const after = await query(sides.databaseUrl, 'SELECT views FROM posts WHERE id = $1', [HIDDEN_POST]);
  assert.deepEqual(after, before);
  const { status } = await ask(sides.plinth.url, null, get('/api/posts/1'));
  assert.notEqual(status, 200, 'Plinth answers without a key');
}

/** Gives the cursors of two pages that are equal but for them. */
function comparePages(
  { plinth, limit }: Answers,
  pageSize: number | undefined,
): { plinth: string; limit: string } {
  assert.deepEqual(plinth.body['data'], limit.body['data']);
  assert.equal((plinth.body['data'] as unknown[]).length, pageSize);
  const ours = plinth.body['page'] as Page;
  const theirs = limit.body['page'] as Page;
  assert.equal(ours.total, theirs.total);
  assert.ok(ours.next !== null && theirs.next !== null, 'A page that is not the last one has no cursor.');
  return { plinth: ours.next, limit: theirs.next };
}

const withCursor = (request: PreparedRequest, cursor: string): PreparedRequest => ({
  ...request,
  path: `${request.path}&cursor=${encodeURIComponent(cursor)}`,
});

interface Answers {
  readonly plinth: Answer;
  readonly limit: Answer;
}

async function askBoth(sides: Sides, question: Question, status: number): Promise<Answers> {
  const plinth = await ask(sides.plinth.url, sides.plinth.key, question.plinth);
  const limit = await ask(sides.limit.url, null, question.limit);
  for (const [side, answer] of [
    ['plinth', plinth],
    ['limit', limit],
  ] as const) {
    const { path } = question[side];
    assert.equal(answer.status, status, `${side}: ${path} gave ${JSON.stringify(answer.body)}`);
  }
  return { plinth, limit };
}

async function ask(
  url: string,
  key: string | null,
  { method, path, body }: PreparedRequest,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === '' ? {} : { body }),
  });
  return {
    status: response.status,
    location: response.headers.get('location'),
    body: (await response.json()) as Json,
  };
}

const query = (url: string, text: string, values: unknown[]): Promise<Json[]> =>
  withClient(url, async (client) => (await client.query<Json>(text, values)).rows);
