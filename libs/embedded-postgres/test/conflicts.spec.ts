import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../src/embedded-postgres.js';
import { isRoot, makeFolder, serve, shareRepository } from './repository.js';

// Each makes databases and copies programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const shared = shareRepository();

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ durable: false, ...options });
  onTestFinished(() => server.stop());
  return server;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
    onTestFinished(() => void server.close());
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/** Everything in a folder with its content, to see that nothing was touched. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) content[path] = `${(await stat(path)).mtimeMs} ${await readFile(path, 'latin1')}`;
  }
  return content;
}

describe('two instances', () => {
  it('with one folder: the second is told which process has it, and the first goes on', async () => {
    const dataDir = await makeFolder();
    const first = serve(shared(), { dataDir });
    const { pid, dataDir: dataPath } = await first.told;
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'embedded.in-use',
      message: expect.stringMatching(
        new RegExp(`${dataPath}.*process ${pid}\\).*another Plinth \\(process ${first.process.pid}\\)`, 's'),
      ),
    });
    await first.stop();
    await start({ dataDir });
  });

  it('with one folder in one process: the same', async () => {
    const dataDir = await makeFolder();
    await start({ dataDir });
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'embedded.in-use',
      message: expect.stringContaining('this very process'),
    });
  });

  it('started at the same moment on nothing: exactly one gets the folder, in which no remains are left', async () => {
    const dataDir = await makeFolder();
    const children = [1, 2, 3].map(() => serve(shared(), { dataDir }));
    const told = await Promise.all(children.map((child) => child.told));
    expect(told.map(({ code }) => code ?? 'started').toSorted()).toEqual([
      'embedded.in-use',
      'embedded.in-use',
      'started',
    ]);
    expect((await readdir(join(dataDir, 'postgres'))).toSorted()).toEqual(['data', 'port', 'server.log']);
    await children[told.findIndex(({ code }) => code === undefined)]?.stop();
  });

  it('with two folders run side by side', async () => {
    const [first, second] = await Promise.all([
      start({ dataDir: await makeFolder() }),
      start({ dataDir: await makeFolder() }),
    ]);
    expect(first.port).not.toBe(second.port);
  });
});

describe('a port that is taken', () => {
  it('is an error when it was asked for', async () => {
    const port = portOf(await listen(0));
    const dataDir = await makeFolder();
    await expect(startEmbeddedPostgres({ dataDir, port })).rejects.toMatchObject({
      code: 'embedded.port-taken',
      message: expect.stringContaining(`Port ${port} on 127.0.0.1`),
    });
    await start({ dataDir });
  });

  it('is passed over when it is only remembered', async () => {
    const dataDir = await makeFolder();
    const first = await start({ dataDir });
    await first.stop();
    await listen(first.port);
    const second = await start({ dataDir });
    expect(second.port).not.toBe(first.port);
  });
});

describe('data that cannot be served', () => {
  it('of another major version are left alone, and the error names the way out', async () => {
    const dataDir = await makeFolder();
    const server = await start({ dataDir });
    await server.stop();
    await writeFile(join(server.dataDir, 'PG_VERSION'), '16\n');
    const before = await contentOf(server.dataDir);
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'embedded.version',
      message: expect.stringMatching(/PostgreSQL 16.*18\.\d.*pg_dump.*DATABASE_URL/s),
    });
    expect(await contentOf(server.dataDir)).toEqual(before);
  });

  it('are told apart from a folder with something else in it', async () => {
    const dataDir = await makeFolder();
    await mkdir(join(dataDir, 'postgres/data'), { recursive: true });
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'embedded.folder',
      message: expect.stringMatching(/no PostgreSQL data.*PG_VERSION/s),
    });
  });

  it('behind a dangling link are missed by name', async () => {
    const dataDir = await makeFolder();
    await symlink(join(dataDir, 'gone'), join(dataDir, 'postgres'));
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'embedded.folder',
      message: expect.stringContaining('delete the link to start empty'),
    });
  });

  it('follow their folder when it is moved', async () => {
    const folder = await makeFolder();
    const first = await start({ dataDir: join(folder, 'a') });
    await first.stop();
    await rename(join(folder, 'a'), join(folder, 'b'));
    const second = await start({ dataDir: join(folder, 'b') });
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
  });

  it('in a folder that is a file are refused', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(startEmbeddedPostgres({ dataDir: join(folder, 'file') })).rejects.toMatchObject({
      code: 'embedded.folder',
    });
  });
});

describe('a start that fails', () => {
  it('quotes what the server said, and leaves the way free for the next', async () => {
    const dataDir = await makeFolder();
    await expect(
      startEmbeddedPostgres({ dataDir, settings: { shared_buffers: 'much' } }),
    ).rejects.toMatchObject({
      code: 'embedded.start-failed',
      message: expect.stringMatching(/server\.log:\n.*invalid value for parameter "shared_buffers": "much"/s),
    });
    await start({ dataDir });
  });

  it('cleans up what a start that was killed had begun', async () => {
    const dataDir = await makeFolder();
    const child = serve(shared(), { dataDir });
    child.told.catch(() => {});
    const home = join(dataDir, 'postgres');
    await expect
      .poll(() => readdir(home).catch(() => []), { interval: 5 })
      .toContainEqual(expect.stringMatching(/^initialising-/));
    await child.kill();
    const server = await start({ dataDir });
    expect((await readdir(home)).toSorted()).toEqual(['data', 'port', 'server.log']);
    expect(server.version).toMatch(/^18/);
  });

  it.runIf(isRoot && process.platform === 'linux')(
    'for want of disk space says so, leaves nothing behind, and works when there is room',
    async () => {
      const dataDir = await makeFolder({ mode: 0o755 });
      const script = (size: string): string[] => {
        const commands = `mount -t tmpfs -o size=${size},mode=755 none "$0" && "$@"; ls "$0/postgres"`;
        return ['unshare', '--mount', 'sh', '-c', commands, dataDir];
      };
      const small = serve(shared(), { dataDir }, { wrapper: script('20m') });
      expect(await small.told).toMatchObject({
        code: 'embedded.disk-full',
        message: expect.stringMatching(/PLINTH_DATA_DIR/),
      });
      expect(await small.otherLines()).toEqual([]);
      const large = serve(shared(), { dataDir }, { wrapper: script('200m') });
      expect(await large.told).toMatchObject({ version: expect.stringMatching(/^18/) });
      await large.stop();
      expect(await large.otherLines()).toEqual(['data', 'port', 'server.log']);
    },
  );
});
