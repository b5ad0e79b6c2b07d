import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { withClient } from '../dataset/open-dataset.js';
import type { LoadGenerator, LoadResult } from '../load/generate-load.js';
import { formatRequestLine } from '../load/prepared-request.js';
import { prepareQuestions, type Workload } from '../workloads.js';
import { findCpuMs, findFamilyCpuMs, findMachineCpuMs, findOwnCpuMs } from './process-figures.js';

export type SideName = 'limit' | 'plinth';

export interface Side {
  readonly name: SideName;
  readonly url: string;
  readonly key: string | null;
  readonly pid: number;
}

export interface Bench {
  readonly sides: Readonly<Record<SideName, Side>>;
  readonly databaseUrl: string;
  readonly postmasterPid: number;
  readonly generator: LoadGenerator;
  /** For the files with the requests. */
  readonly folder: string;
}

/** What one side did in one round. */
export interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time for one request; null where the system does not tell. */
  readonly nodeCpuMs: number | null;
  readonly postgresCpuMs: number | null;
  /** Share of the machine that went to what is no part of the bench; null where the system does not tell. */
  readonly foreignShare: number | null;
}

/** The two sides of one round, measured right after each other. */
export type Round = Readonly<Record<SideName, Sample>>;

const QUESTIONS = 20_000;
const WARM_UP_SECONDS = 3;

/** Measures a workload in rounds; who goes first alternates. */
export async function runWorkload(
  bench: Bench,
  workload: Workload,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Round[]> {
  const files = await writeRequests(bench, workload);
  const measure = (name: SideName, seconds: number): Promise<Sample> =>
    measureSide(bench, workload, bench.sides[name], files[name], seconds);

  for (const name of ['limit', 'plinth'] as const) await measure(name, WARM_UP_SECONDS);
  const results: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const isLimitFirst = round % 2 === 0;
    const first = await measure(isLimitFirst ? 'limit' : 'plinth', seconds);
    const second = await measure(isLimitFirst ? 'plinth' : 'limit', seconds);
    results.push(isLimitFirst ? { limit: first, plinth: second } : { limit: second, plinth: first });
  }
  return results;
}

async function writeRequests(
  { folder }: Bench,
  workload: Workload,
): Promise<Readonly<Record<SideName, string>>> {
  const questions = prepareQuestions(workload, QUESTIONS);
  const write = async (name: SideName): Promise<string> => {
    const file = path.join(folder, `${workload.id}-${name}.requests`);
    await writeFile(file, questions.map((question) => formatRequestLine(question[name])).join('\n'));
    return file;
  };
  return { limit: await write('limit'), plinth: await write('plinth') };
}

async function measureSide(
  { databaseUrl, postmasterPid, generator }: Bench,
  workload: Workload,
  { name, url, key, pid }: Side,
  file: string,
  seconds: number,
): Promise<Sample> {
  const before = await readClocks(pid, postmasterPid);
  const result = await generator.generate({ url, file, key, seconds });
  const used = subtract(await readClocks(pid, postmasterPid), before);
  refuseFailures(result, `${workload.id} on ${name}`);
  // Dead rows of one side must not slow down the other one; both tables have autovacuum off.
  const { table } = workload;
  if (table !== undefined) {
    await withClient(databaseUrl, (client) => client.query(`VACUUM ${table}`));
  }
  return {
    requestsPerSecond: result.requests / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    nodeCpuMs: used && used.node / result.requests,
    postgresCpuMs: used && used.postgres / result.requests,
    foreignShare: used && foreignShareOf(used),
  };
}

function refuseFailures({ requests, failures }: LoadResult, what: string): void {
  if (failures > 0 || requests === 0) {
    throw new Error(`${what}: ${failures} of ${requests} requests failed, so its figures mean nothing.`);
  }
}

/** CPU times, and the time itself, in milliseconds. */
interface Clocks {
  readonly node: number;
  readonly postgres: number;
  /** This process and the load generators that it started. */
  readonly load: number;
  readonly machine: number;
  readonly elapsed: number;
}

async function readClocks(nodePid: number, postmasterPid: number): Promise<Clocks | null> {
  const node = await findCpuMs(nodePid);
  const postgres = await findFamilyCpuMs(postmasterPid);
  const load = await findOwnCpuMs();
  const machine = await findMachineCpuMs();
  if (node === null || postgres === null || load === null || machine === null) return null;
  return { node, postgres, load, machine, elapsed: performance.now() };
}

function subtract(after: Clocks | null, before: Clocks | null): Clocks | null {
  if (after === null || before === null) return null;
  return {
    node: after.node - before.node,
    postgres: after.postgres - before.postgres,
    load: after.load - before.load,
    machine: after.machine - before.machine,
    elapsed: after.elapsed - before.elapsed,
  };
}

function foreignShareOf({ node, postgres, load, machine, elapsed }: Clocks): number {
  const foreignMs = machine - node - postgres - load;
  return Math.max(0, foreignMs / (elapsed * cpus().length));
}
