import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { SEED, tellFigures, times } from '../kit/long-run.js';
import { createPerson } from '../kit/people.js';
import { Random } from '../kit/random.js';

/** Of each kind of account. In the short run, few: it is the statements that other tests hold to be the same. */
const PAIRS = times({ short: 60, long: 2000 });
/** Beyond this, two means differ with all but certainty. */
const CRITICAL_T = 4.5;
/** The slowest and the fastest are those that others on the machine held up. */
const TRIMMED = 0.1;

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ config: { trustedProxies: ['loopback'], jobConcurrency: 0 } });
  const { id } = await createPerson(app, 'first@example.org');
  await app.database.query(
    `WITH made AS (
       INSERT INTO plinth.users (email) SELECT 'known' || n || '@example.org' FROM generate_series(1, $1) AS n RETURNING id
     )
     INSERT INTO plinth.user_passwords (user_id, hash)
     SELECT made.id, p.hash FROM made, plinth.user_passwords p WHERE p.user_id = $2`,
    [PAIRS, id],
  );
});
afterAll(() => app?.close());

let sent = 0;
/** Milliseconds; each request comes from a network of its own, so that none is slowed down for its number. */
async function measure(path: string, body: object): Promise<{ ms: number; status: number; text: string }> {
  sent += 1;
  const from = `2001:${(sent >> 8).toString(16)}:${(sent & 255).toString(16)}::1`;
  const startedAtMs = performance.now();
  const answer = await fetch(app.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return { ms: performance.now() - startedAtMs, status: answer.status, text: withoutId(text) };
}

const withoutId = (text: string): string => text.replace(/"requestId":"[^"]*"/, '');

interface Moments {
  readonly mean: number;
  /** Of the mean, squared. */
  readonly error: number;
}

function momentsOf(samples: readonly number[]): Moments {
  const cut = Math.floor(samples.length * TRIMMED);
  const kept = samples.toSorted((a, b) => a - b).slice(cut, samples.length - cut);
  const mean = kept.reduce((sum, each) => sum + each, 0) / kept.length;
  const variance = kept.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (kept.length - 1);
  return { mean, error: variance / kept.length };
}

/** Welch's statistic for two means. */
function welch(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [momentsOf(one), momentsOf(other)];
  return Math.abs(a.mean - b.mean) / Math.sqrt(a.error + b.error);
}

async function compare(
  path: string,
  bodyFor: (email: string) => object,
): Promise<{ t: number; answers: ReadonlySet<string> }> {
  const random = new Random(SEED);
  const known: number[] = [];
  const unknown: number[] = [];
  const answers = new Set<string>();
  for (let warm = 0; warm < 10; warm += 1) await measure(path, bodyFor(`warm${warm}@example.org`));
  for (let pair = 1; pair <= PAIRS; pair += 1) {
    const isKnownFirst = random.chance(0.5);
    for (const isKnown of [isKnownFirst, !isKnownFirst]) {
      const { ms, status, text } = await measure(
        path,
        // Of equal length.
        bodyFor(`${isKnown ? 'known' : 'other'}${pair}@example.org`),
      );
      answers.add(`${status} ${text}`);
      (isKnown ? known : unknown).push(ms);
    }
  }
  return { t: welch(known, unknown), answers };
}

describe(`[row 18] the time of an answer, over ${PAIRS} pairs`, () => {
  const WRONG = 'quite another one 99';
  it.each([
    ['/auth/sign-in', (email: string) => ({ email, password: WRONG })],
    ['/auth/password/forgot', (email: string) => ({ email })],
    ['/auth/code', (email: string) => ({ email })],
  ])(
    '[row 18] of %s does not tell who has an account, nor does the answer',
    async (path, bodyFor) => {
      const { t, answers } = await compare(path, bodyFor);
      expect(answers.size).toBe(1);
      expect(t).toBeLessThan(CRITICAL_T);
      tellFigures(`Time of ${path}`, { pairs: PAIRS, "Welch's t": t.toFixed(2) });
    },
    1_200_000,
  );

  it('[row 18] tells where one kind of account takes a tenth of a millisecond longer', () => {
    const random = new Random(SEED);
    const noise = (): number => 5 + random.below(1000) / 2000;
    const slow = Array.from({ length: 2000 }, () => noise() + 0.1);
    expect(welch(slow, Array.from({ length: 2000 }, noise))).toBeGreaterThan(CRITICAL_T);
  });
});
