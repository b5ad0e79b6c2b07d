import type { TestResponse } from '../kit/app.js';

export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A step that needs what the one before was answered. */
export type Step = Ask | ((before: TestResponse) => Ask);

/** One way to ask about what is hidden. */
export interface Question {
  /** By which road the answer would come. */
  readonly channel: string;
  readonly name: string;
  readonly steps: readonly Step[];
  /** Whether it writes: an administrator's would then make differences that the reader sees. */
  readonly isWrite: boolean;
}

export const read = (
  channel: string,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Question => ({
  channel,
  name: `GET ${path} ${JSON.stringify(query)}`,
  steps: [{ method: 'GET', path: `/api${path}`, query }],
  isWrite: false,
});

export const write = (channel: string, name: string, ...steps: readonly Step[]): Question => ({
  channel,
  name,
  steps,
  isWrite: true,
});

/** Pages one after the other, as far as three. */
export function pages(channel: string, path: string, query: Readonly<Record<string, string>>): Question {
  const step = (before: TestResponse): Ask => ({
    method: 'GET',
    path: `/api${path}`,
    query: { ...query, cursor: String(before.body?.page?.next) },
  });
  const first = { method: 'GET', path: `/api${path}`, query };
  return {
    channel,
    name: `pages of ${path} ${JSON.stringify(query)}`,
    steps: [first, step, step],
    isWrite: false,
  };
}
