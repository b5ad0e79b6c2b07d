import { constants, copyFile, open, stat, truncate, type FileHandle } from 'node:fs/promises';
import type { Home } from './home.js';

const LIMIT_BYTES = 8 * 1024 * 1024;
const CHECK_INTERVAL_MS = 60_000;

/**
 * The file that takes the server's output. The server appends to it by itself, so that nothing is lost when this
 * process dies; at 8 MB it is copied to `server.log.1` and emptied.
 */
export class ServerLog {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly timer: NodeJS.Timeout,
  ) {}

  static async open(home: Home): Promise<ServerLog> {
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const file = await open(home.logPath, flags, 0o600);
    if (home.owner !== undefined) await file.chown(home.owner.uid, home.owner.gid);
    await limitLog(home.logPath);
    const timer = setInterval(() => {
      // A full disk is told by the server itself; a log that grows on is no reason to stop.
      limitLog(home.logPath).catch(() => {});
    }, CHECK_INTERVAL_MS);
    timer.unref();
    return new ServerLog(home.logPath, file, timer);
  }

  /** To be given to the server as its output. */
  get descriptor(): number {
    return this.file.fd;
  }

  async size(): Promise<number> {
    return (await this.file.stat()).size;
  }

  /** What has been written since the log had the given size, at most its last 4 KB. */
  async readSince(size: number): Promise<string> {
    const file = await open(this.path, 'r');
    try {
      const end = (await file.stat()).size;
      const start = Math.max(Math.min(size, end), end - 4096);
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(end - start), position: start });
      return buffer.subarray(0, bytesRead).toString('utf8').trim();
    } finally {
      await file.close();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.file.close();
  }
}

async function limitLog(path: string): Promise<void> {
  if ((await stat(path)).size <= LIMIT_BYTES) return;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
}
