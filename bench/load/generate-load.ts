import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const CONNECTIONS = 32;

/** wrk's script is not compiled, so it lies beside the source of this file. */
const REPLAY_SCRIPT = fileURLToPath(new URL('../../load/replay.lua', import.meta.url));
const NODE_LOAD = fileURLToPath(new URL('node-load.js', import.meta.url));

/** What one burst of load came to. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections that broke and answers that are errors. */
  readonly failures: number;
}

export interface Load {
  readonly url: string;
  /** The file with the requests, one a line. */
  readonly file: string;
  readonly key: string | null;
  readonly seconds: number;
}

export interface LoadGenerator {
  readonly name: string;
  /** Loads a server from a process of its own; resolves when it has ended. */
  generate(load: Load): Promise<LoadResult>;
}

/** wrk where it is installed, since it takes the least of the machine; else one on Node. */
export async function findLoadGenerator(): Promise<LoadGenerator> {
  try {
    // Prints its version and how it is used, and ends with an error.
    await run('wrk', ['--version']);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { name: 'node:http', generate: withNode };
  }
  return { name: 'wrk', generate: withWrk };
}

function withWrk({ url, file, key, seconds }: Load): Promise<LoadResult> {
  const options = ['--threads', '1', '--connections', String(CONNECTIONS), '--duration', `${seconds}s`];
  if (key !== null) options.push('--header', `Authorization: Bearer ${key}`);
  return runLoad('wrk', [...options, '--timeout', '10s', '--script', REPLAY_SCRIPT, url, '--', file]);
}

const withNode = ({ url, file, key, seconds }: Load): Promise<LoadResult> =>
  runLoad(process.execPath, [NODE_LOAD, url, file, String(CONNECTIONS), String(seconds), key ?? '']);

async function runLoad(program: string, parameters: readonly string[]): Promise<LoadResult> {
  try {
    const { stdout } = await run(program, parameters);
    return parseResult(stdout);
  } catch (error) {
    const { signal, stderr } = error as { signal?: string | null; stderr?: string };
    // Without the error itself, which quotes the command line with the key.
    // oxlint-disable-next-line preserve-caught-error
    if (stderr !== undefined) throw new Error(`The load generator ended early: ${signal ?? stderr}`);
    throw error;
  }
}

function parseResult(output: string): LoadResult {
  const line = output.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line) as LoadResult;
  } catch (error) {
    throw new Error(`The load generator said: ${output}`, { cause: error });
  }
}
