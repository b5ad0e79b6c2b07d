import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@plinth/embedded-postgres';
import { checkAnswers } from './check-answers.js';
import { openDataset } from './dataset/open-dataset.js';
import { CONNECTIONS, findLoadGenerator } from './load/generate-load.js';
import { findMemory } from './measure/process-figures.js';
import { runWorkload, type Side, type SideName } from './measure/run-workload.js';
import { summarise } from './measure/summarise.js';
import { parseOptions, USAGE, UsageError, type BenchOptions } from './options.js';
import { describeMachine, formatMemory, formatSummary } from './report.js';
import { startLimit } from './servers/start-limit.js';
import { startPlinth } from './servers/start-plinth.js';

/** Keeps the data set from run to run. */
const DATA_DIR = fileURLToPath(new URL('../../.plinth/bench', import.meta.url));
/** What starting has left to do is done by then. */
const SETTLE_MS = 2000;

const tell = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs the bench; everything that it started is stopped when it ends. */
export async function main(commandLine: readonly string[]): Promise<void> {
  // Ends the servers too, by their exit handlers.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    const options = parseOptions(commandLine);
    const postgres = await startEmbeddedPostgres({ dataDir: DATA_DIR });
    try {
      await compare(postgres, options);
    } finally {
      await postgres.stop();
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    process.exitCode = 2;
  }
}

async function compare(postgres: EmbeddedPostgres, options: BenchOptions): Promise<void> {
  const generator = await findLoadGenerator();
  tell(describeMachine(postgres.version, generator.name));
  const databaseUrl = await openDataset(postgres.url, tell);
  const folder = path.join(DATA_DIR, 'requests');
  await mkdir(folder, { recursive: true });
  const limit = await startLimit(databaseUrl, DATA_DIR);
  try {
    const plinth = await startPlinth(databaseUrl, DATA_DIR, options.credential);
    try {
      const sides = {
        limit: { name: 'limit', key: null, ...limit },
        plinth: { name: 'plinth', ...plinth },
      } satisfies Record<SideName, Side>;
      await delay(SETTLE_MS);
      const idle = await memoryOf(sides);
      await checkAnswers({ ...sides, databaseUrl }, options.workloads);
      tell(
        `Answers are right. ${CONNECTIONS} connections, ${options.rounds} rounds of ${options.seconds} s each.`,
      );

      const bench = { sides, databaseUrl, postmasterPid: postgres.pid, generator, folder };
      for (const workload of options.workloads) {
        tell(formatSummary(workload, summarise(await runWorkload(bench, workload, options))));
      }
      const after = await memoryOf(sides);
      tell('\nMemory of the Node processes');
      for (const name of ['limit', 'plinth'] as const) tell(formatMemory(name, idle[name], after[name]));
    } finally {
      await plinth.stop();
    }
  } finally {
    await limit.stop();
  }
}

async function memoryOf(
  sides: Readonly<Record<SideName, Side>>,
): Promise<Record<SideName, Awaited<ReturnType<typeof findMemory>>>> {
  return { limit: await findMemory(sides.limit.pid), plinth: await findMemory(sides.plinth.pid) };
}
