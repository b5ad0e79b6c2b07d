import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { startEmbeddedPostgres } from '../src/embedded-postgres.js';
import { isRoot, makeFolder, serve, shareRepository, type Told } from './repository.js';

// Each makes databases, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const NOBODY = 65_534;
const shared = shareRepository();

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

/** What `chmod -R` does. */
async function changeTree(folder: string, mode: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), mode);
  await chmod(folder, mode);
}

describe.runIf(process.platform !== 'win32')('data whose permissions were changed', () => {
  it('are closed again, which is said, and then served; as root they are another account’s', async () => {
    const dataDir = await makeFolder();
    const warnings: string[] = [];
    const logger = { info() {}, warn: (_: object, message: string) => void warnings.push(message) };
    const start = async (): Promise<string> => {
      const server = await startEmbeddedPostgres({ dataDir, durable: false, logger });
      await server.stop();
      return server.dataDir;
    };
    const dataPath = await start();
    expect(await modeOf(dataPath)).toBe('700');
    expect((await stat(dataPath)).uid === process.geteuid?.()).toBe(!isRoot);
    for (const mode of [0o755, 0o777]) {
      await changeTree(dataPath, mode);
      await start();
      expect(warnings.splice(0)).toEqual([expect.stringContaining(`were ${mode.toString(8)}`)]);
      expect(await modeOf(dataPath)).toBe('700');
    }
    // What PostgreSQL takes is somebody's choice, and stays.
    await chmod(dataPath, 0o750);
    await start();
    expect(warnings).toEqual([]);
    expect(await modeOf(dataPath)).toBe('750');
  });

  it.runIf(isRoot)('are closed again by an ordinary user (whom only root can become here)', async () => {
    const dataDir = join(await makeFolder({ mode: 0o755, uid: NOBODY }), '.plinth');
    const start = async (): Promise<Told> => {
      const child = serve(shared(), { dataDir, durable: false }, { uid: NOBODY });
      const told = await child.told;
      await child.stop();
      return told;
    };
    const { dataDir: dataPath } = await start();
    await changeTree(dataPath, 0o755);
    expect(await start()).toMatchObject({
      dataDir: dataPath,
      warnings: [expect.stringContaining('were 755')],
    });
    expect(await modeOf(dataPath)).toBe('700');
  });
});
