import { chmod, cp, lchown, lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@plinth/embedded-postgres';

/** A standby that streams from a primary; its address stays the same. */
export interface Standby {
  readonly url: string;
  /** `host:port` */
  readonly name: string;
  /** Ends it as a crash does: with SIGKILL. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A primary and standbys of it: real PostgreSQL servers with streaming replication. */
export interface ReplicatedPostgres {
  /** The database `plinth` on the primary. */
  readonly url: string;
  readonly standbys: readonly Standby[];
  /** Stops all of them and removes their data. */
  remove(): Promise<void>;
}

/** What a test's servers otherwise do without, see `durable`. */
const REPLICATED = { wal_level: 'replica', max_wal_senders: '10', wal_keep_size: '64MB' };

/**
 * Makes the standbys as copies of the primary while it is stopped: the programs in npm have no pg_basebackup. As initdb
 * leaves it, pg_hba.conf admits replication on loopback with the password.
 */
export async function startReplicatedPostgres(
  count: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<ReplicatedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-replicated-'));
  // As root the servers run under another account, which has to pass through here.
  await chmod(folder, 0o711);
  const start = (dataDir: string, more: Readonly<Record<string, string>> = {}, port?: number) =>
    startEmbeddedPostgres({ dataDir, port, durable: false, settings: { ...REPLICATED, ...more } });
  const primaryDir = join(folder, 'primary');
  const made = await start(primaryDir);
  await made.stop();
  const folders = Array.from({ length: count }, (_, index) => join(folder, `standby${index + 1}`));
  for (const standbyDir of folders) await copyData(primaryDir, standbyDir);
  const primary = await start(primaryDir);
  const standbys = await Promise.all(
    folders.map((standbyDir) => startStandby(primary, standbyDir, { start, settings })),
  );
  return {
    url: primary.url,
    standbys,
    async remove() {
      await Promise.all(standbys.map((standby) => standby.kill()));
      await primary.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** The port is the copy's own to choose. */
async function copyData(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  await rm(join(to, 'postgres/port'), { force: true });
  await writeFile(join(to, 'postgres/data/standby.signal'), '');
  if (process.geteuid?.() === 0) await copyOwners(from, to);
}

async function copyOwners(from: string, to: string): Promise<void> {
  const { uid, gid } = await lstat(from);
  await lchown(to, uid, gid);
  if (!(await lstat(from)).isDirectory()) return;
  const names = await readdir(from);
  // Not all of them are there: the port is left out.
  await Promise.all(names.map((name) => copyOwners(join(from, name), join(to, name)).catch(() => {})));
}

interface StandbyStart {
  readonly start: (
    dataDir: string,
    more?: Readonly<Record<string, string>>,
    port?: number,
  ) => Promise<EmbeddedPostgres>;
  readonly settings: Readonly<Record<string, string>>;
}

async function startStandby(
  primary: EmbeddedPostgres,
  dataDir: string,
  { start, settings }: StandbyStart,
): Promise<Standby> {
  const { hostname, port, username, password } = new URL(primary.url);
  const conninfo = `host=${hostname} port=${port} user=${username} password=${password}`;
  const own = { ...settings, primary_conninfo: conninfo };
  let server = await start(dataDir, own);
  const address = new URL(server.url);
  return {
    url: server.url,
    name: `${address.hostname}:${address.port}`,
    async kill() {
      try {
        process.kill(server.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
      await server.exited;
    },
    async start() {
      server = await start(dataDir, own, Number(address.port));
    },
  };
}
