import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  BUILD_TIMEOUT_MS,
  ensureBuilt,
  runPlinth,
  servePlinth,
  startPlinth,
  type ServingProcess,
} from '../kit/plinth-process.js';

// Every test starts processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folders: string[] = [];
beforeAll(ensureBuilt, BUILD_TIMEOUT_MS);
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

/** Which PostgreSQL under another account can enter, where the tests run as root. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-cli-'));
  folders.push(folder);
  await chmod(folder, 0o711);
  return folder;
}

/** The process id of the server that has a folder's data; null when its lock file is gone, or not written yet. */
async function findPostmaster(folder: string): Promise<number | null> {
  const text = await readFile(join(folder, 'postgres/data/postmaster.pid'), 'utf8').catch(() => '');
  const pid = /^(\d+)\n/.exec(text)?.[1];
  return pid === undefined ? null : Number(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('without DATABASE_URL', () => {
  let cwd: string;
  let server: ServingProcess;
  let adminKey: string;
  beforeAll(async () => {
    cwd = await makeFolder();
    server = await servePlinth({ cwd });
  });
  afterAll(() => server?.stop());

  it('`start` keeps the data in the folder that the shell is in', async () => {
    expect(await readdir(cwd)).toEqual(['.plinth']);
    expect(await findPostmaster(join(cwd, '.plinth'))).toEqual(expect.any(Number));
    expect(server.stdout()).toBe('');
  });

  it('`start` tells how to make the first key, and a key that is made so is taken by the running server', async () => {
    const { msg } = await server.logged((line) => line.msg.includes('Make a key'));
    const words = /-- (.+)$/.exec(msg)?.[1]?.split(' ') ?? [];
    const { code, stdout, stderr } = await runPlinth(words, { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    adminKey = stdout.trim();
    const answer = await fetch(`${server.url}/system/roles`, { headers: { 'x-api-key': adminKey } });
    expect(answer.status).toBe(200);
  });

  it('`keys create` waits for a server that is only just starting', async () => {
    const lockFile = join(cwd, '.plinth/postgres/data/postmaster.pid');
    const text = await readFile(lockFile, 'utf8');
    await writeFile(lockFile, text.replace('ready   ', 'starting'));
    const creating = runPlinth(['keys', 'create', '--role', 'admin', '--name', 'early'], { cwd });
    // By the time that others were refused, one after the other, this one has looked and found no server that is ready.
    for (let others = 0; others < 2; others += 1) await runPlinth(['start'], { cwd, env: { PORT: '0' } });
    await writeFile(lockFile, text);
    expect(await creating).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^plinth_/) });
  });

  it('a second `start` on the same data is refused, and the first goes on', async () => {
    const { code, stdout, stderr } = await runPlinth(['start'], { cwd, env: { PORT: '0' } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`are being served already, .*another Plinth \\(process ${server.pid}\\).*PLINTH_DATA_DIR`),
    );
    expect(stderr).not.toMatch(/\n {4}at /);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });

  it('`doctor` looks into the running server, and tells that it has the port', async () => {
    const { port } = new URL(server.url);
    const { code, stdout, stderr } = await runPlinth(['doctor'], { cwd, env: { PORT: port } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`warning  the port ${port} of 127.0.0.1 is taken by a Plinth that is running\n`);
    expect(stdout).toContain(`ok       the data folder is ${join(cwd, '.plinth')}\n`);
    expect(stdout).toMatch(/ok {7}PostgreSQL 18\S* at postgres:\/\/postgres:\*\*\*@127\.0\.0\.1/);
  });

  it('SIGINT ends the server with 0, and its PostgreSQL with it', async () => {
    const postmaster = await findPostmaster(join(cwd, '.plinth'));
    server.send('SIGINT');
    expect(await server.outcome).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(isAlive(postmaster ?? 0)).toBe(false);
    // A server that was stopped in good order takes its lock file with it.
    expect(await findPostmaster(join(cwd, '.plinth'))).toBeNull();
  });

  it('`keys create` starts the PostgreSQL for itself alone where no server runs', async () => {
    const { code, stdout, stderr } = await runPlinth(
      ['keys', 'create', '--role', 'admin', '--name', 'offline'],
      { cwd: tmpdir(), env: { PLINTH_DATA_DIR: join(cwd, '.plinth') } },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^plinth_\S+\n$/);
    expect(await findPostmaster(join(cwd, '.plinth'))).toBeNull();
    expect(await runPlinth(['doctor'], { cwd, env: { PORT: '0' } })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        'ok       the embedded PostgreSQL is not running; `npm start` starts it\n',
      ),
    });
  });

  it('SIGTERM while it starts leaves no PostgreSQL behind', async () => {
    const starting = startPlinth(['start'], { cwd, env: { PORT: '0' } });
    let postmaster: number | null = null;
    await vi.waitFor(
      async () => {
        postmaster = await findPostmaster(join(cwd, '.plinth'));
        expect(postmaster).not.toBeNull();
      },
      { timeout: 60_000, interval: 5 },
    );
    starting.send('SIGTERM');
    // 0 where the server was faster than the signal.
    expect([143, 0]).toContain((await starting.outcome).code);
    await vi.waitFor(() => expect(isAlive(postmaster ?? 0)).toBe(false), { timeout: 30_000 });
  });
});

describe('plinth demo', () => {
  it('prints a tour whose keys and address work, and ends with 0 at SIGTERM', async () => {
    const cwd = await makeFolder();
    const demo = startPlinth(['demo'], { cwd, env: { PORT: '0' } });
    await vi.waitFor(() => expect(demo.stdout()).toMatch(/ADMIN_KEY=\S+/), { timeout: 60_000 });
    const [, api] = /^ {2}API +(\S+)$/m.exec(demo.stdout()) ?? [];
    const [, key = ''] = /^ {2}export ADMIN_KEY=(\S+)$/m.exec(demo.stdout()) ?? [];
    const answer = await fetch(`${api}/customers?limit=1`, { headers: { 'x-api-key': key } });
    expect(answer.status).toBe(200);
    // Its data are apart from those of `start`.
    expect(await readdir(join(cwd, '.plinth'))).toEqual(['demo']);
    demo.send('SIGTERM');
    expect(await demo.outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(await findPostmaster(join(cwd, '.plinth/demo'))).toBeNull();
  });
});
