import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { claimData } from './claim-data.js';
import { EmbeddedPostgresError, explainFolderError } from './errors.js';
import { isPresent, locateHome, replaceFile, type Home } from './home.js';
import {
  checkCluster,
  DATABASE_USER,
  initialiseCluster,
  readPassword,
  SETTINGS_FILE,
} from './initialise-cluster.js';
import { launchServer, type LaunchFailure, type ServerExit, type ServerProcess } from './launch.js';
import { DEFAULT_DATABASE, openDatabase } from './open-database.js';
import { chooseFreePort, rememberPort } from './port.js';
import { shutDown } from './postmaster.js';
import { prepareRuntime, type Runtime } from './runtime.js';
import { ServerLog } from './server-log.js';
import { measureMachine, NOT_DURABLE, renderSettings, tuneSettings, type Settings } from './settings.js';

/** Where the server tells what an operator may want to know; pino's loggers fit. */
export interface EmbeddedPostgresLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export interface EmbeddedPostgresOptions {
  /**
   * Where the server keeps everything, in a sub-folder `postgres`. As root, when the server's account cannot enter this
   * folder, that is a link to a folder under /var/lib/plinth.
   */
  readonly dataDir: string;
  /** Port on 127.0.0.1. Default: that of the last start if it is free, else a free one. */
  readonly port?: number;
  /** Made when it is missing. Default: DEFAULT_DATABASE. */
  readonly database?: string;
  /** PostgreSQL settings that override the tuned ones of `settings.ts`. */
  readonly settings?: Settings;
  readonly logger?: EmbeddedPostgresLogger;
  /** False gives up the safety of the data for speed; for tests. Default: true. */
  readonly durable?: boolean;
  /** True refuses to start where there are no data, instead of making new ones. Default: false. */
  readonly mustExist?: boolean;
}

/** A running server. */
export interface EmbeddedPostgres {
  /** Connection URL of the database, password included. */
  readonly url: string;
  readonly port: number;
  /** Such as `18.4`. */
  readonly version: string;
  /** PostgreSQL's data directory, without symbolic links. */
  readonly dataDir: string;
  /** The file with the server's output. */
  readonly logPath: string;
  /** The server's process id. */
  readonly pid: number;
  /** Disconnects all clients, writes everything out and ends the server. May be called more than once. */
  stop(): Promise<void>;
  /** Fulfilled when the server has ended, asked to or not. */
  readonly exited: Promise<EmbeddedPostgresExit>;
}

export interface EmbeddedPostgresExit extends ServerExit {
  /** Whether `stop` was called. */
  readonly wasStopped: boolean;
}

/** How long a server may take to write everything out before it is stopped less politely. */
const STOP_PATIENCE = { fastMs: 20_000, immediateMs: 5_000 };
/** How long to wait for what a killed server left: its last processes, or a lock file that is being written. */
const REMAINS_TIMEOUT_MS = 30_000;
const REMAINS_INTERVAL_MS = 100;
const PORT_ATTEMPTS = 5;

/**
 * Starts a real PostgreSQL on the data in `options.dataDir`, which are made when there are none. It listens on loopback
 * only, with a generated password, and works as root (as another account, see `chooseServerAccount`) and as anyone else.
 * After a crash of the server, of this process or of the machine, the next start recovers everything committed.
 *
 * Throws EmbeddedPostgresError with what to do: when the data are in use, of another major version, or not accessible;
 * when the disk is full, or the given port taken; when the platform is not supported.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options);
  } catch (error) {
    throw explainFolderError(error, options.dataDir);
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { home, notice } = await locateHome(options.dataDir);
  if (notice !== undefined) options.logger?.warn({ folder: home.path }, notice);
  if (options.mustExist === true && !(await isPresent(home.dataPath))) throw goneError(home);
  const runtime = await prepareRuntime(home);
  await initialiseCluster(home, runtime, { durable: options.durable !== false });
  const correction = await checkCluster(home, runtime);
  if (correction !== undefined) options.logger?.warn({ folder: home.dataPath }, correction);
  const password = await readPassword(home);

  const log = await ServerLog.open(home);
  try {
    const { server, port } = await bringUp({ home, runtime, log, options });
    try {
      const url = await openDatabase(
        { port, user: DATABASE_USER, password },
        options.database ?? DEFAULT_DATABASE,
        home.dataPath,
      );
      await rememberPort(home, port);
      return supervise(server, log, {
        url,
        port,
        version: runtime.version,
        dataDir: home.dataPath,
        logPath: home.logPath,
        pid: server.pid,
      });
    } catch (error) {
      await shutDown(server.send, server.hasExited, STOP_PATIENCE);
      throw error;
    }
  } catch (error) {
    await log.close();
    throw error;
  }
}

interface Place {
  readonly home: Home;
  readonly runtime: Runtime;
  readonly log: ServerLog;
  readonly options: EmbeddedPostgresOptions;
}

/** Starts the server process, and again for as long as what is in the way goes away by itself. */
async function bringUp(place: Place): Promise<{ readonly server: ServerProcess; readonly port: number }> {
  const { home, options } = place;
  const startedAt = Date.now();
  for (let portAttempt = 1; ;) {
    const stoppedPid = await claimData(home);
    if (stoppedPid !== undefined) {
      options.logger?.warn({ pid: stoppedPid }, 'Stopped a PostgreSQL whose Plinth had been killed');
    }
    await writeSettings(place);
    const port = options.port ?? (await chooseFreePort(home));
    const result = await launchServer(home, place.runtime, place.log, {
      port,
      // Data that nobody misses need not be written out.
      signalAtExit: options.durable === false ? 'SIGQUIT' : 'SIGINT',
    });
    if (result.kind === 'started') return { server: result.server, port };

    const { failure } = result;
    const waitedMs = Date.now() - startedAt;
    if (failure === 'port-taken' && options.port === undefined && portAttempt < PORT_ATTEMPTS) {
      portAttempt += 1;
    } else if ((failure === 'locked' || failure === 'remains') && waitedMs < REMAINS_TIMEOUT_MS) {
      await delay(REMAINS_INTERVAL_MS);
    } else {
      throw startError(failure, port, place, result.log);
    }
  }
}

async function writeSettings({ home, options }: Place): Promise<void> {
  const text = renderSettings(
    tuneSettings(await measureMachine()),
    options.durable === false ? NOT_DURABLE : {},
    options.settings ?? {},
  );
  await replaceFile(home, join(home.dataPath, SETTINGS_FILE), text, home.account);
}

function supervise(
  server: ServerProcess,
  log: ServerLog,
  facts: Omit<EmbeddedPostgres, 'stop' | 'exited'>,
): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  const exited = server.exited.then(async (exit) => {
    await log.close();
    return { ...exit, wasStopped: stopping !== undefined };
  });
  const stop = async (): Promise<void> => {
    stopping ??= shutDown(server.send, server.hasExited, STOP_PATIENCE);
    await stopping;
    await exited;
  };
  return { ...facts, exited, stop };
}

function goneError({ dataPath }: Home): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'embedded.folder',
    `${dataPath} is gone. Bring the data back from where they were moved to, or from a backup.`,
  );
}

function startError(failure: LaunchFailure, port: number, place: Place, log: string): EmbeddedPostgresError {
  const { home } = place;
  if (failure === 'port-taken') {
    return new EmbeddedPostgresError(
      'embedded.port-taken',
      `Port ${port} on 127.0.0.1 is taken by another process, or may not be used. Choose another one, or none: a free ` +
        `one is found then.`,
    );
  }
  const quoted = log
    .split('\n')
    .slice(-10)
    .map((line) => `  ${line}`)
    .join('\n');
  if (failure === 'disk-full') {
    return new EmbeddedPostgresError(
      'embedded.disk-full',
      `PostgreSQL cannot start because the disk of ${home.dataPath} is full. Make room; nothing is lost. ` +
        `It said:\n${quoted}`,
    );
  }
  return new EmbeddedPostgresError(
    'embedded.start-failed',
    `PostgreSQL did not start on ${home.dataPath}. The last lines of ${home.logPath}:\n${quoted}`,
  );
}
