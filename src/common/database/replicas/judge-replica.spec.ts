import { describe, expect, it } from 'vitest';
import { parseLogPosition } from '../log-position.js';
import { judgeReplica, type ReplicaReport } from './judge-replica.js';
import { PrimaryLog } from './primary-log.js';

const PRIMARY = { systemId: '7', timeline: 2 };
const AT = { nowMs: 10_000, maxLagMs: 2000 };
const report = ({
  replayed = 500,
  ...changes
}: Partial<Omit<ReplicaReport, 'replayed'>> & { readonly replayed?: number }): ReplicaReport => ({
  ...PRIMARY,
  isStandby: true,
  replayed: BigInt(replayed),
  ...changes,
});

/** At 7, 8, 9 and 10 seconds the log had 100 to 400 bytes. */
function logOfPrimary(): PrimaryLog {
  const log = new PrimaryLog(5000);
  [100n, 200n, 300n, 400n].forEach((position, index) => log.note(7000 + index * 1000, position, PRIMARY));
  return log;
}

describe('the lag of a standby', () => {
  it.each([
    [500, 0],
    [400, 0],
    [399, 1000],
    [200, 2000],
    [100, 3000],
    [99, null],
  ])(
    'is, with the log replayed up to %d, for how long it may have missed something: %d ms',
    (replayed, lag) => {
      expect(logOfPrimary().lagOf(BigInt(replayed), 10_000)).toBe(lag);
    },
  );

  it('does not grow while nothing is written, and does while nothing is heard of the primary', () => {
    const log = logOfPrimary();
    for (let atMs = 11_000; atMs <= 60_000; atMs += 500) log.note(atMs, 400n, PRIMARY);
    expect(log.lagOf(400n, 60_000)).toBe(0);
    expect(log.lagOf(399n, 60_000)).toBeNull();
    expect(log.lagOf(400n, 90_000)).toBe(30_000);
  });

  it('is measured anew where the primary has another log', () => {
    const log = logOfPrimary();
    log.note(11_000, 50n, PRIMARY);
    expect(log.lagOf(60n, 11_000)).toBe(0);
    log.note(12_000, 1000n, { systemId: '8', timeline: 1 });
    expect(log.lagOf(999n, 12_000)).toBeNull();
  });
});

describe('a standby', () => {
  it.each([
    [{}, null],
    [{ replayed: 200 }, null],
    [{ replayed: 199 }, 'lagging'],
    [{ isStandby: false }, 'promoted'],
    [{ systemId: '8' }, 'foreign'],
    [{ timeline: 3 }, 'diverged'],
    [{ timeline: 1 }, null],
  ])('that reports %j is left out as %s', (changes, reason) => {
    expect(judgeReplica(report(changes), logOfPrimary(), AT).fault?.reason ?? null).toBe(reason);
  });

  it('is left out as long as nothing was heard of the primary', () => {
    expect(judgeReplica(report({}), new PrimaryLog(5000), AT).fault?.reason).toBe('lagging');
  });
});

describe('positions in the log', () => {
  it('are compared as numbers', () => {
    expect(parseLogPosition('0/0')).toBe(0n);
    expect(parseLogPosition('1/0')).toBe(0x1_0000_0000n);
    expect(parseLogPosition('FFFFFFFF/FFFFFFFF')).toBe(2n ** 64n - 1n);
    expect(parseLogPosition('A/B') > parseLogPosition('9/FFFFFFFF')).toBe(true);
    for (const wrong of ['', '/', '1/', '1/g', '-1/0', '123456789/0']) {
      expect(() => parseLogPosition(wrong)).toThrow('is no LSN');
    }
  });
});
