import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@plinth/embedded-postgres';
import { withClient } from '../dataset/open-dataset.js';
import { findLoadGenerator } from '../load/generate-load.js';
import { describeMachine } from '../report.js';
import { measureChanges } from './changes.js';
import { createRows, measureSlowClients, measureStream, startClientServer } from './clients.js';
import { formatAnswer, formatChange, formatFilters, formatShape, SHAPE_HEAD } from './report.js';
import { LARGE, measureFilters, measureShape, SMALL, type ShapeBench } from './shapes.js';

const DATA_DIR = fileURLToPath(new URL('../../../.plinth/bench-scale', import.meta.url));

/** `--only shapes|changes|clients`: one part. `--filters n`: so many distinct ones. */
const OPTIONS = { only: { type: 'string' }, filters: { type: 'string', default: '100000' } } as const;

const tell = (text: string): void => void process.stdout.write(`${text}\n`);

/** Measures how memory and time grow; everything that it started is stopped when it ends. */
export async function main(commandLine: readonly string[]): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const { only, filters } = parseArgs({ args: [...commandLine], options: OPTIONS }).values;
  const postgres = await startEmbeddedPostgres({ dataDir: DATA_DIR });
  try {
    const generator = await findLoadGenerator();
    tell(describeMachine(postgres.version, generator.name));
    const folder = path.join(DATA_DIR, 'requests');
    await mkdir(folder, { recursive: true });
    const openDatabase = (name: string): Promise<string> => makeDatabase(postgres, name);
    const bench = { generator, folder, openDatabase, postmasterPid: postgres.pid, filters: Number(filters) };
    const isWanted = (part: string): boolean => only === undefined || only === part;
    if (isWanted('shapes')) await measureShapes(bench);
    if (isWanted('changes')) {
      tell('');
      await measureChanges(await openDatabase('scale_changes'), folder, (result) =>
        tell(formatChange(result)),
      );
    }
    if (isWanted('clients')) await measureClients(await openDatabase('scale_clients'), folder);
  } finally {
    await postgres.stop();
  }
}

async function measureShapes(bench: ShapeBench): Promise<void> {
  tell(SHAPE_HEAD);
  const small = await measureShape(bench, SMALL);
  tell(formatShape(small, small));
  for (const scenario of LARGE) tell(formatShape(await measureShape(bench, scenario), small));
  for (const kind of ['values', 'shapes'] as const) {
    const result = await measureFilters(bench, kind);
    tell(formatShape(result, small));
    tell(formatFilters(result));
  }
}

async function measureClients(url: string, folder: string): Promise<void> {
  await createRows(url);
  const clients = 1000;
  // Each on a server of its own, so that one does not begin with what another has left.
  const measure = async (
    work: (server: Awaited<ReturnType<typeof startClientServer>>) => Promise<string>,
  ) => {
    const server = await startClientServer(url, folder);
    try {
      tell(await work(server));
    } finally {
      await server.stop();
    }
  };
  tell('');
  await measure(async (server) => formatAnswer(await measureStream(server)));
  for (const [name, at] of [
    ['1,000 slow clients, 1 MB each', '/api/items?limit=1000'],
    ['1,000 slow clients, 10 MB each', '/api/pages?limit=1000'],
    ['1,000 slow clients, 500 MB each', '/api/items?limit=500000'],
  ] as const) {
    await measure(async (server) =>
      formatAnswer(await measureSlowClients(server, { name, clients, path: at })),
    );
  }
}

async function makeDatabase({ url }: EmbeddedPostgres, name: string): Promise<string> {
  await withClient(url, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  });
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}
