import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';

/** What the settings are derived from. */
export interface Machine {
  /** Memory that this process may use: a container's limit where there is one. */
  readonly memoryBytes: number;
  readonly cores: number;
  /** Size of /dev/shm; undefined where there is none. */
  readonly sharedMemoryBytes?: number;
}

export type Settings = Readonly<Record<string, string>>;

const MB = 1024 * 1024;
const GB = 1024 * MB;

/** Connections the server takes: Plinth's pools, a person with psql, a dump, and room for a second instance. */
const MAX_CONNECTIONS = 100;

/**
 * The server's settings for a machine that it shares with Plinth itself and, on a developer's, with much else. They are
 * written to `plinth.conf` in the data directory at each start; what differs from PostgreSQL's own default is here with
 * its reason.
 */
export function tuneSettings(machine: Machine): Settings {
  const memory = machine.memoryBytes;
  const parallelWorkers = clamp(Math.floor(machine.cores / 2), 1, 4);
  return {
    // A quarter of the memory is the usual share of a dedicated server; the upper bound keeps a laptop usable.
    shared_buffers: megabytes(clamp(memory / 4, 32 * MB, 4 * GB)),
    // What the planner may expect to be cached, the operating system's cache included. Allocates nothing.
    effective_cache_size: megabytes(clamp(memory / 2, 64 * MB, 64 * GB)),
    // Per sort or hash. A tenth of the memory when a quarter of all connections run one each.
    work_mem: megabytes(clamp(memory / 10 / (MAX_CONNECTIONS / 4), 2 * MB, 64 * MB)),
    maintenance_work_mem: megabytes(clamp(memory / 16, 32 * MB, 1 * GB)),
    max_connections: String(MAX_CONNECTIONS),
    // Explicit huge pages need an operator who reserves them; without one, trying only adds a message to the log.
    huge_pages: 'off',
    // Containers have 64 MB of /dev/shm by default, in which a parallel hash join fails half-way.
    dynamic_shared_memory_type: (machine.sharedMemoryBytes ?? 0) >= 256 * MB ? 'posix' : 'mmap',

    max_worker_processes: String(clamp(machine.cores, 8, 16)),
    max_parallel_workers: String(clamp(machine.cores, 2, 16)),
    max_parallel_workers_per_gather: String(parallelWorkers),
    max_parallel_maintenance_workers: String(parallelWorkers),

    // Compiling a plan to machine code costs tens of milliseconds and helps only in queries of seconds.
    jit: 'off',
    // Flash storage: a random read costs hardly more than a sequential one, so indexes are worth using.
    random_page_cost: '1.1',
    track_io_timing: 'on',

    // Durability is not for sale: an answered write survives a power cut.
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    // Full-page images make up most of the log after a checkpoint, and compress well.
    wal_compression: 'on',
    // Fewer checkpoints under load: each one makes the next write of every page a full-page image.
    checkpoint_timeout: '15min',
    max_wal_size: '2GB',
    min_wal_size: '80MB',

    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    datestyle: 'iso, mdy',
    lc_messages: 'C',
    lc_monetary: 'C',
    lc_numeric: 'C',
    lc_time: 'C',
    default_text_search_config: 'pg_catalog.english',

    // The log tells about the server's own life. Failed statements are their client's to report, and their texts and
    // details hold users' data.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
  };
}

/** Trades safety for speed: for data that nobody misses after a crash, such as a test's. */
export const NOT_DURABLE: Settings = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum_naptime: '5min',
};

/** Measures the machine this process runs on. */
export async function measureMachine(): Promise<Machine> {
  // 0 or a huge number stands for "no limit", depending on the system.
  const limit = process.constrainedMemory();
  const memoryBytes = limit > 0 && limit < totalmem() ? limit : totalmem();
  return { memoryBytes, cores: availableParallelism(), sharedMemoryBytes: await measureSharedMemory() };
}

/** The text of a configuration file; later settings override earlier ones of the same name. */
export function renderSettings(...layers: readonly Settings[]): string {
  const merged = Object.entries(Object.assign({}, ...layers) as Record<string, string>);
  const lines = merged.map(([name, value]) => `${settingName(name)} = '${escapeValue(value)}'`);
  return `# Written by Plinth at each start; changes are lost. Your own settings belong in postgresql.conf.\n${lines.join('\n')}\n`;
}

async function measureSharedMemory(): Promise<number | undefined> {
  try {
    const status = await statfs('/dev/shm');
    return status.blocks * status.bsize;
  } catch {
    return undefined;
  }
}

function settingName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$/.test(name)) {
    throw new TypeError(`"${name}" is not the name of a PostgreSQL setting`);
  }
  return name;
}

function escapeValue(value: string): string {
  // A line break would begin another setting.
  if (/[\r\n\0]/.test(value))
    throw new TypeError(`A setting's value must be one line: ${JSON.stringify(value)}`);
  return value.replaceAll('\\', '\\\\').replaceAll("'", "''");
}

function clamp(value: number, minimum: number, maximum: number): number {
  return Math.min(Math.max(value, minimum), maximum);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MB)}MB`;
}
