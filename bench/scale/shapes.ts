import { Agent, request } from 'node:http';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withClient } from '../dataset/open-dataset.js';
import type { LoadGenerator, LoadResult } from '../load/generate-load.js';
import { formatRequestLine } from '../load/prepared-request.js';
import { findCpuMs, findFamilyCpuMs, findMemory } from '../measure/process-figures.js';
import { startScaleServer, type ScaleServer } from './server.js';
import { ASKED_TABLES, createPolicies, createTables, roleName, ROWS, type WorldSize } from './world.js';

export interface ShapeScenario extends WorldSize {
  readonly name: string;
}

export const SMALL: ShapeScenario = {
  name: '10 tables, 10 policies, 1 role',
  tables: 10,
  policies: 10,
  roles: 1,
};
export const LARGE: readonly ShapeScenario[] = [
  { name: '1,000 tables', tables: 1000, policies: 1000, roles: 1 },
  { name: '1,000 policies on 10 tables', tables: 10, policies: 1000, roles: 100 },
  { name: '1,000 tables and policies, 100 roles', tables: 1000, policies: 1000, roles: 100 },
];

export interface ShapeResult {
  readonly name: string;
  readonly startMs: number;
  readonly idleBytes: number;
  readonly bytes: number;
  readonly heapBytes: number;
  readonly load: LoadResult;
  /** CPU time of a request, which others on the machine do not lengthen. */
  readonly nodeMs: number;
  readonly postgresMs: number;
}

export interface ShapeBench {
  readonly postmasterPid: number;
  /** How many distinct filters are sent. */
  readonly filters: number;
  readonly generator: LoadGenerator;
  readonly folder: string;
  /** Of an empty database of this name. */
  readonly openDatabase: (name: string) => Promise<string>;
}

const SECONDS = 5;
const WARM_SECONDS = 3;
const ROLES_OF_KEY = 100;

/** How much memory and time the same requests take where there is so much of everything. */
export async function measureShape(bench: ShapeBench, scenario: ShapeScenario): Promise<ShapeResult> {
  const url = await bench.openDatabase('scale_shape');
  await createTables(url, scenario.tables);
  const server = await startScaleServer(url, bench.folder);
  try {
    await createPolicies(url, scenario);
    const roles = Array.from({ length: Math.min(ROLES_OF_KEY, scenario.roles) }, (_, index) =>
      roleName(index),
    );
    const key = await server.createKey(roles);
    const { nowBytes: idleBytes } = await server.memory();
    return {
      ...(await measureLoad(bench, server, key)),
      name: scenario.name,
      startMs: server.startMs,
      idleBytes,
    };
  } finally {
    await server.stop();
  }
}

type Measured = Pick<ShapeResult, 'load' | 'bytes' | 'heapBytes' | 'nodeMs' | 'postgresMs'>;

async function measureLoad(bench: ShapeBench, server: ScaleServer, key: string): Promise<Measured> {
  const file = path.join(bench.folder, 'scale-requests.txt');
  await writeFile(
    file,
    hotPaths()
      .map((at) => formatRequestLine({ method: 'GET', path: at, body: '' }))
      .join('\n'),
  );
  await bench.generator.generate({ url: server.url, file, key, seconds: WARM_SECONDS });
  const cpu = async (): Promise<readonly [number, number]> => [
    (await findCpuMs(server.pid)) ?? Number.NaN,
    (await findFamilyCpuMs(bench.postmasterPid)) ?? Number.NaN,
  ];
  const [nodeBefore, postgresBefore] = await cpu();
  const load = await bench.generator.generate({ url: server.url, file, key, seconds: SECONDS });
  const [nodeAfter, postgresAfter] = await cpu();
  if (load.failures > 0) throw new Error(`${load.failures} requests failed.`);
  const { nowBytes: bytes } = await server.memory();
  return {
    load,
    bytes,
    heapBytes: await server.metric('nodejs_heap_size_used_bytes'),
    nodeMs: (nodeAfter - nodeBefore) / load.requests,
    postgresMs: (postgresAfter - postgresBefore) / load.requests,
  };
}

/** By key, and ten by a filter: what most requests are. */
const hotPaths = (): string[] =>
  Array.from({ length: 500 }, (_, index) => {
    const table = `/api/t${1 + (index % ASKED_TABLES)}`;
    return index % 2 === 0
      ? `${table}/${1 + (index % ROWS)}`
      : `${table}?limit=10&fields=id,name,number&filter=${encodeURIComponent(`number >= ${index % 90}`)}`;
  });

export interface FilterResult extends ShapeResult {
  readonly plans: number;
  /** Memory of its own of the largest of the database's processes. */
  readonly backendBytes: number;
}

/** Filters that differ in their values only, and filters each of which is a shape, and so a plan, of its own. */
export const FILTERS = {
  values: (index: number) => `number >= ${index % 97} && price < ${index}.5 && name != "x${index}"`,
  shapes: (index: number) =>
    Array.from(String(index).padStart(5, '0'))
      .map((digit, place) => `(${CLAUSES[Number(digit)]} || id > ${place})`)
      .join(' && '),
} as const;

const CLAUSES = [
  'number > 1',
  'number < 99',
  'price > 1.0',
  'name != "x"',
  'name.startsWith("N")',
  'flag == true',
  'note == null',
  'id != 7',
  'has(day)',
  'parent.number >= 0',
];

/** The hot requests' memory and time after so many filters of which none came twice. */
export async function measureFilters(bench: ShapeBench, kind: keyof typeof FILTERS): Promise<FilterResult> {
  const url = await bench.openDatabase('scale_shape');
  await createTables(url, SMALL.tables);
  const server = await startScaleServer(url, bench.folder);
  try {
    await createPolicies(url, SMALL);
    const key = await server.createKey([roleName(0)]);
    const { nowBytes: idleBytes } = await server.memory();
    await sendAll(server.url, key, { count: bench.filters, filterOf: FILTERS[kind] });
    return {
      ...(await measureLoad(bench, server, key)),
      name: `after ${bench.filters} filters of different ${kind}`,
      startMs: server.startMs,
      idleBytes,
      plans: await server.metric('plinth_plan_cache_entries'),
      backendBytes: await largestBackend(url),
    };
  } finally {
    await server.stop();
  }
}

const CONNECTIONS = 32;

interface DistinctFilters {
  readonly count: number;
  readonly filterOf: (index: number) => string;
}

async function sendAll(url: string, key: string, { count, filterOf }: DistinctFilters): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < count) {
      const at = `/api/t1?limit=3&fields=id&filter=${encodeURIComponent(filterOf(next++))}`;
      const status = await get(url + at, key, agent);
      if (status !== 200) throw new Error(`${at} gave ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, send));
  agent.destroy();
}

const get = (url: string, key: string, agent: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: { authorization: `Bearer ${key}` } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });

/** Prepared statements are in the memory of the processes that have them. */
async function largestBackend(url: string): Promise<number> {
  const pids = await withClient(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'plinth'`,
    );
    return rows.map(({ pid }) => pid);
  });
  const memories = await Promise.all(pids.map((pid) => findMemory(pid)));
  return Math.max(0, ...memories.map((memory) => memory?.ownBytes ?? 0));
}
