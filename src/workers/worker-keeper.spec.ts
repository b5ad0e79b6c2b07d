import { describe, expect, it, vi } from 'vitest';
import { Observer, type Observation } from '../common/observability/index.js';
import { WorkerKeeper } from './worker-keeper.js';
import type { WorkerExit, WorkerProcess } from './worker-process.js';
import { SOON } from '../../test/kit/soon.js';

/** How a process goes: it serves, or it ends before, with or without having said why. */
type Course = 'serves' | 'fails' | 'ends';

interface FakeWorker {
  readonly worker: WorkerProcess;
  readonly die: () => void;
}

const KILLED: WorkerExit = { code: null, signal: 'SIGKILL' };

function makeWorker(number: number, course: Course): FakeWorker {
  let die = (): void => {};
  const exited = new Promise<WorkerExit>((resolve) => (die = () => resolve(KILLED)));
  if (course !== 'serves') die();
  const worker = {
    pid: 1,
    assignment: { worker: number },
    started: Promise.resolve(course === 'serves'),
    exited,
    failure: course === 'fails' ? { name: 'ConfigError', message: 'no such file', code: 'ENOENT' } : null,
    servedMs: course === 'serves' ? 5 : 0,
  };
  return { worker: worker as unknown as WorkerProcess, die };
}

/** A keeper whose processes go one after the other as given, the last one again and again. */
function makeKeeper(...courses: readonly Course[]) {
  const launched: FakeWorker[] = [];
  const observations: Observation[] = [];
  const givenUp = vi.fn<() => void>();
  const observer = new Observer([
    { wants: () => true, observe: (observation) => void observations.push(observation) },
  ]);
  const keeper = new WorkerKeeper({
    launch: (number) => {
      const made = makeWorker(number, courses[launched.length] ?? courses.at(-1) ?? 'serves');
      launched.push(made);
      return made.worker;
    },
    observer,
    onExit: () => {},
    onServing: () => {},
    onGivenUp: givenUp,
    backoff: { firstMs: 2, mostMs: 10 },
  });
  return { keeper, launched, observations, givenUp, kinds: () => observations.map(({ kind }) => kind) };
}

describe('a keeper of workers', () => {
  it('tells at once what keeps a first worker from starting', async () => {
    const { keeper, launched } = makeKeeper('fails');
    await expect(keeper.keep(1)).rejects.toMatchObject({ message: 'no such file', code: 'ENOENT' });
    expect(launched).toHaveLength(1);
  });

  it('starts one again that ended without a word, and gives up in the end', async () => {
    const lucky = makeKeeper('ends', 'serves');
    await lucky.keeper.keep(1);
    expect(lucky.launched).toHaveLength(2);
    const unlucky = makeKeeper('ends');
    await expect(unlucky.keeper.keep(1)).rejects.toThrow(
      'A worker ended 5 times while it started, at last by SIGKILL.',
    );
    expect(unlucky.launched).toHaveLength(5);
  });

  it('replaces one that died, and gives up where no other one starts', async () => {
    const { keeper, launched, kinds, observations, givenUp } = makeKeeper('serves', 'serves', 'fails');
    await keeper.keep(3);
    launched[0]?.die();
    await vi.waitFor(() => expect(kinds()).toEqual(['worker.died', 'worker.replaced']), SOON);
    expect(observations[0]).toMatchObject({ worker: 3, signal: 'SIGKILL', delayMs: 2 });
    launched[1]?.die();
    await vi.waitFor(() => expect(givenUp).toHaveBeenCalledOnce(), SOON);
    expect(observations.at(-1)).toMatchObject({
      kind: 'worker.given-up',
      attempts: 5,
      reason: 'no such file',
    });
    // One that served, and five that did not.
    expect(launched).toHaveLength(2 + 5);
  });

  it('replaces nobody when it has been told to stop', async () => {
    const { keeper, launched, kinds } = makeKeeper('serves');
    await keeper.keep(1);
    keeper.stopReplacing();
    launched[0]?.die();
    await vi.waitFor(() => expect(keeper.workers.size).toBe(0), SOON);
    expect([launched.length, kinds()]).toEqual([1, []]);
  });
});
