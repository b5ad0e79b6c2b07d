import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { StatementCosts } from './statement-costs.js';
import { WriteGroups } from './write-groups.js';
import type { GroupOutcome } from './write-group.js';

/** A database that runs groups as it is told, and notes what was asked of it. */
function openGroups(answer: (names: readonly string[]) => GroupOutcome | Error) {
  const costs = new StatementCosts();
  const groups: string[][] = [];
  const alone: string[] = [];
  const clock = { nowMs: 0 };
  const writes = new WriteGroups(
    async (statements) => {
      const values = statements.map((statement) => String(statement.values[0]));
      groups.push(values);
      const outcome = answer(values);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    () => clock.nowMs,
  );
  const offer = (name: string, value: string, isGone = false): Promise<string> => {
    const cost = costs.of(name);
    return new Promise((resolve) => {
      const isTaken = writes.offer({
        statement: { name, text: name, values: [value] },
        caller: { isGone },
        cost,
        settle: (error, rows) => resolve(error === null ? String(rows[0]?.[0]) : `failed: ${error.message}`),
        runAlone: () => {
          alone.push(value);
          resolve(`alone: ${value}`);
        },
      });
      if (!isTaken) resolve('not taken');
    });
  };
  const know = (name: string, runs = 2, tookMs = 1): void => {
    Object.assign(costs.of(name), { runs, leastMs: tookMs });
  };
  return { offer, know, groups, alone, clock, costs, writes };
}

const succeed = (names: readonly string[], tookMs = 1): GroupOutcome => ({
  error: null,
  results: names.map((name) => ({ rows: [[`did ${name}`]], tookMs })),
});

function databaseError(code: string, severity = 'ERROR'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 0, 'error'), { code, severity });
}

const fail = (error: Error): GroupOutcome => ({ error, results: [] });

describe('groups of writes', () => {
  it('are of one statement, in the order of arrival, and answered each with its own rows', async () => {
    const { offer, know, groups, writes } = openGroups(succeed);
    know('a');
    know('b');
    const answers = [offer('a', 'a1'), offer('b', 'b1'), offer('a', 'a2'), offer('b', 'b2')];
    expect(await Promise.all(answers)).toEqual(['did a1', 'did b1', 'did a2', 'did b2']);
    expect(groups).toEqual([
      ['a1', 'a2'],
      ['b1', 'b2'],
    ]);
    expect(writes.counts).toEqual({ groups: 2, writes: 4 });
  });

  it('are of at most 32, and one alone is none', async () => {
    const { offer, know, groups, alone } = openGroups(succeed);
    know('a');
    await Promise.all(Array.from({ length: 33 }, (_, index) => offer('a', String(index))));
    expect(groups.map(({ length }) => length)).toEqual([32]);
    expect(alone).toEqual(['32']);
  });

  it('take only what is known to be quick, and not without end', async () => {
    const { offer, know } = openGroups(succeed);
    expect(await offer('unknown', 'x')).toBe('not taken');
    know('slow', 5, 30);
    expect(await offer('slow', 'x')).toBe('not taken');
    know('a');
    const answers = await Promise.all(Array.from({ length: 200 }, () => offer('a', 'x')));
    expect(answers.filter((answer) => answer === 'did x')).toHaveLength(128);
  });

  it('leave out those whose client is gone', async () => {
    const { offer, know, groups } = openGroups(succeed);
    know('a');
    const answers = [offer('a', '1', true), offer('a', '2'), offer('a', '3')];
    expect(await Promise.all(answers)).toEqual(['alone: 1', 'did 2', 'did 3']);
    expect(groups).toEqual([['2', '3']]);
  });

  it('are run one by one when the database takes them back, and are half as large then', async () => {
    let isBroken = true;
    const { offer, know, groups, costs } = openGroups((names) =>
      isBroken ? fail(databaseError('23505')) : succeed(names),
    );
    know('a');
    const all = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, index) => offer('a', String(index))));
    expect(await all(4)).toEqual(['alone: 0', 'alone: 1', 'alone: 2', 'alone: 3']);
    expect(costs.of('a').groupSize).toBe(16);
    for (let count = 0; count < 3; count += 1) await all(2);
    expect(costs.of('a').groupSize).toBe(2);
    isBroken = false;
    await all(4);
    expect(groups.slice(-2)).toEqual([
      ['0', '1'],
      ['2', '3'],
    ]);
    expect(costs.of('a').groupSize).toBe(4);
  });

  it.each([
    ['fails in pairs, too', (): GroupOutcome => fail(databaseError('23505')), 2],
    ['waited for a lock', (): GroupOutcome => fail(databaseError('55P03')), 32],
    ['was slow', (names: readonly string[]): GroupOutcome => succeed(names, 60), 32],
  ])('are not made for a while of a statement that %s', async (_what, answer, groupSize) => {
    const { offer, know, clock, costs } = openGroups(answer);
    know('a');
    costs.of('a').groupSize = groupSize;
    await Promise.all([offer('a', '1'), offer('a', '2')]);
    know('a');
    expect(await offer('a', '3')).toBe('not taken');
    clock.nowMs = 1001;
    expect(await offer('a', '3')).toBe('alone: 3');
  });

  it.each([
    ['a lost connection', new Error('Connection terminated')],
    ['the end of the server', databaseError('57P01', 'FATAL')],
  ])('are never run again after %s: they may have been committed', async (_what, error) => {
    const { offer, know, alone } = openGroups(() => fail(error));
    know('a');
    const answers = await Promise.all([offer('a', '1'), offer('a', '2')]);
    expect(answers).toEqual([`failed: ${error.message}`, `failed: ${error.message}`]);
    expect(alone).toEqual([]);
  });

  it('tell every one of them where there is no connection', async () => {
    const { offer, know, alone } = openGroups(() => new Error('too much waits'));
    know('a');
    expect(await Promise.all([offer('a', '1'), offer('a', '2')])).toEqual([
      'failed: too much waits',
      'failed: too much waits',
    ]);
    expect(alone).toEqual([]);
  });
});
