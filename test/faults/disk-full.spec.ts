import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunningPostgres } from '@plinth/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { insertAdminKey } from '../kit/admin-key.js';
import { tellFigures } from '../kit/long-run.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../kit/plinth-process.js';
import { querySql } from './check-writes.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const SOON = { timeout: 90_000, interval: 50 };
const DISK = '256m';
const BODY = 'x'.repeat(200_000);

/** A small disk of its own, or why there can be none here. */
async function mountDisk(): Promise<{ folder: string } | { reason: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return { reason: 'only root on Linux can mount a disk of its own' };
  const folder = await mkdtemp(join(tmpdir(), 'plinth-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=711`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (mounted.status === 0) return { folder };
  await rm(folder, { recursive: true });
  return { reason: `this root cannot mount a disk: ${mounted.stderr ?? mounted.error?.message}`.trim() };
}

const disk = await mountDisk();
const folder = 'folder' in disk ? disk.folder : '';

const skipped = 'reason' in disk ? ` (skipped: ${disk.reason})` : '';

describe.skipIf(skipped)(`a full disk${skipped}`, () => {
  let server: ServingProcess;
  let key: string;
  const acknowledged: number[] = [];
  const refused: number[] = [];
  let next = 1;

  const ask = async (method: string, path: string, body?: object): Promise<Response> =>
    fetch(server.url + path, {
      method,
      headers: { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body && JSON.stringify(body),
    });
  const write = async (): Promise<number> => {
    const id = next;
    next += 1;
    const answer = await ask('POST', '/api/notes?fields=id', { id, text: `${id}${BODY}` });
    const text = await answer.text();
    if (answer.status === 201) acknowledged.push(id);
    else {
      refused.push(id);
      expect([answer.status, text]).toEqual([503, expect.stringContaining('/problems/database-unavailable')]);
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    return answer.status;
  };
  /** Leaves `spareBytes` of the disk. */
  const fill = async (spareBytes: number): Promise<void> => {
    const file = await open(join(folder, 'filler'), 'w');
    const { stdout } = spawnSync('df', ['--output=avail', '-B1', folder], { encoding: 'utf8' });
    const bytes = Math.max(0, Number(stdout.trim().split('\n')[1]) - spareBytes);
    const block = Buffer.alloc(1024 * 1024);
    for (let written = 0; written < bytes; written += block.length) {
      await file.write(block.subarray(0, Math.min(block.length, bytes - written)));
    }
    await file.close();
  };

  beforeAll(async () => {
    await ensureBuilt();
    await chmod(folder, 0o711);
    server = await servePlinth({ env: { PLINTH_DATA_DIR: folder } });
    const running = await findRunningPostgres(folder);
    await querySql(running?.url ?? '', 'CREATE TABLE notes (id int PRIMARY KEY, text text)');
    // Texts that fill the disk as long as they are.
    await querySql(running?.url ?? '', 'ALTER TABLE notes ALTER text SET STORAGE EXTERNAL');
    key = await insertAdminKey(running?.url ?? '');
    await vi.waitUntil(async () => (await ask('GET', '/api/notes')).status === 200, SOON);
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    await server?.stop();
    spawnSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  });

  it('is told by 503s, and all that was acknowledged is there when there is room again', async () => {
    await write();
    await fill(3_000_000);
    await vi.waitFor(async () => expect(await write()).toBe(503), { timeout: 90_000, interval: 1 });
    for (let count = 0; count < 20; count += 1) await write();
    // Management is refused in the same way, and nothing is an internal error.
    for (const path of ['/api/notes/1?fields=id', '/system/roles', '/health/ready']) {
      expect([200, 503]).toContain((await ask('GET', path)).status);
    }
    const role = await ask('POST', '/system/roles', { name: 'full', description: BODY.slice(0, 900) });
    expect([201, 503]).toContain(role.status);
    expect(server.isRunning()).toBe(true);

    await rm(join(folder, 'filler'));
    await vi.waitFor(async () => expect(await write()).toBe(201), SOON);
    const ids = new Set<number>();
    let after = 0;
    for (;;) {
      const path = `/api/notes?fields=id&limit=1000&sort=id&filter=${encodeURIComponent(`id > ${after}`)}`;
      const { data } = (await (await ask('GET', path)).json()) as { data: { id: number }[] };
      if (data.length === 0) break;
      for (const { id } of data) ids.add(id);
      after = data.at(-1)?.id ?? 0;
    }
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    expect(server.isRunning()).toBe(true);
    expect(server.log().filter(({ msg }) => msg === 'A request failed')).toEqual([]);
    tellFigures('Disk full', {
      'writes acknowledged, none lost': acknowledged.length,
      'writes answered 503': refused.length,
    });
  });
});
