import { DATASET, isPublished } from './dataset/dataset.js';
import type { PreparedRequest } from './load/prepared-request.js';

/** The same question, as each side wants it put. */
export interface Question {
  readonly plinth: PreparedRequest;
  readonly limit: PreparedRequest;
}

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** Plinth's requests a second over the limit's, at least. */
  readonly targetRatio: number;
  readonly kind: 'record' | 'list' | 'create' | 'update';
  /** Records in every answer of a list. */
  readonly pageSize?: number;
  /** What it writes to. */
  readonly table?: 'posts' | 'comments';
  /** Makes a question of its own each time. */
  ask(random: Random): Question;
}

/** Gives whole numbers from 0 to `bound`, exclusive. */
export type Random = (bound: number) => number;

const LIST_FIELDS = 'id,title,views,published_at';
const FEED_FIELDS = 'id,title,published_at,author(id,name),comments(id,body,created_at)';

export const WORKLOADS: readonly Workload[] = [
  {
    id: 'W1',
    title: 'one post by id',
    targetRatio: 1,
    kind: 'record',
    ask: (random) => {
      const id = pickPublished(random);
      return { plinth: get(`/api/posts/${id}`), limit: get(`/posts/${id}`) };
    },
  },
  {
    id: 'W2',
    title: '25 posts filtered by status and views, sorted, four fields',
    targetRatio: 1,
    kind: 'list',
    pageSize: 25,
    ask: (random) => {
      const minViews = 80_000 + random(15_000);
      return {
        plinth: get('/api/posts', {
          fields: LIST_FIELDS,
          filter: `status == "published" && views >= ${minViews}`,
          sort: '-published_at',
          limit: '25',
        }),
        limit: get('/posts/popular', { minViews: String(minViews) }),
      };
    },
  },
  {
    id: 'W3',
    title: '10 posts, each with its author and the latest 5 comments',
    targetRatio: 0.95,
    kind: 'list',
    pageSize: 10,
    ask: (random) => {
      const before = pickTime(random, 3, DATASET.months);
      return {
        plinth: get('/api/posts', {
          fields: FEED_FIELDS,
          filter: `published_at < timestamp("${before}")`,
          sort: '-published_at',
          limit: '10',
          'comments.sort': '-created_at',
          'comments.limit': '5',
        }),
        limit: get('/posts/feed', { before }),
      };
    },
  },
  {
    id: 'W6',
    title: '25 posts of a month, sorted, with their exact total',
    targetRatio: 0.95,
    kind: 'list',
    pageSize: 25,
    ask: (random) => {
      const from = pickTime(random, 0, DATASET.months - 2);
      const until = addDays(from, 30);
      return {
        plinth: get('/api/posts', {
          fields: LIST_FIELDS,
          filter: `published_at >= timestamp("${from}") && published_at < timestamp("${until}")`,
          sort: '-published_at',
          limit: '25',
          count: 'exact',
        }),
        limit: get('/posts/period', { from, until }),
      };
    },
  },
  {
    id: 'W4',
    title: 'insert a comment',
    targetRatio: 0.9,
    kind: 'create',
    table: 'comments',
    ask: (random) => {
      const comment = JSON.stringify({
        post_id: pickPublished(random),
        author_id: 1 + random(DATASET.authors),
        body: `A thought worth ${random(1000)} words: "what rests on it?"`,
      });
      return {
        plinth: { method: 'POST', path: '/api/comments', body: comment },
        limit: { method: 'POST', path: '/comments', body: comment },
      };
    },
  },
  {
    id: 'W5',
    title: 'patch the views of a post',
    targetRatio: 0.9,
    kind: 'update',
    table: 'posts',
    ask: (random) => {
      const id = pickPublished(random);
      const views = JSON.stringify({ views: random(DATASET.views) });
      return {
        plinth: { method: 'PATCH', path: `/api/posts/${id}`, body: views },
        limit: { method: 'PATCH', path: `/posts/${id}`, body: views },
      };
    },
  },
];

/** Questions that are the same at every run. */
export function prepareQuestions(workload: Workload, count: number): Question[] {
  const random = seededRandom(2026);
  return Array.from({ length: count }, () => workload.ask(random));
}

function get(path: string, parameters: Readonly<Record<string, string>> = {}): PreparedRequest {
  const query = new URLSearchParams(parameters).toString();
  return { method: 'GET', path: query === '' ? path : `${path}?${query}`, body: '' };
}

function pickPublished(random: Random): number {
  for (;;) {
    const id = 1 + random(DATASET.posts);
    if (isPublished(id)) return id;
  }
}

const DAY_MS = 86_400_000;

/** A midnight in the months of the data set, from the first one, inclusive, to the last one, exclusive. */
function pickTime(random: Random, firstMonth: number, lastMonth: number): string {
  const year = DATASET.firstYear;
  const first = Date.UTC(year, firstMonth);
  const days = (Date.UTC(year, lastMonth) - first) / DAY_MS;
  return formatTime(first + random(days) * DAY_MS);
}

const addDays = (time: string, days: number): string => formatTime(Date.parse(time) + days * DAY_MS);

const formatTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** Mulberry32 (Tommy Ettinger, public domain). */
function seededRandom(seed: number): Random {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}
