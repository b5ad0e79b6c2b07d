import { parseArgs } from 'node:util';
import { WORKLOADS, type Workload } from './workloads.js';

export interface BenchOptions {
  readonly rounds: number;
  /** Of load on each side in each round. */
  readonly seconds: number;
  readonly workloads: readonly Workload[];
  /** What Plinth is asked with: a key, or the access token of somebody who signed in. */
  readonly credential: Credential;
}

export type Credential = 'key' | 'token';

export const USAGE = `npm run bench -- [--rounds n] [--seconds n] [--only W1[,W2 ...]] [--as key|token]

  --rounds    how often each side is measured, in turn (5)
  --seconds   how long each time (5)
  --only      the workloads: ${WORKLOADS.map(({ id }) => id).join(', ')}
  --as        what Plinth is asked with: an API key, or the access token of a user (key)`;

/** A command line that cannot be understood; `message` says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws {UsageError} */
export function parseOptions(commandLine: readonly string[]): BenchOptions {
  const { rounds, seconds, only, as } = parseValues(commandLine);
  return {
    rounds: parseCount('rounds', rounds),
    seconds: parseCount('seconds', seconds),
    workloads: only === undefined ? WORKLOADS : parseWorkloads(only),
    credential: parseCredential(as),
  };
}

function parseValues(commandLine: readonly string[]) {
  try {
    return parseArgs({
      args: [...commandLine],
      options: {
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '5' },
        only: { type: 'string' },
        as: { type: 'string', default: 'key' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function parseCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`--${name} must be a whole number from 1 to 9999.`);
  return Number(text);
}

function parseCredential(name: string): Credential {
  if (name === 'key' || name === 'token') return name;
  throw new UsageError('--as must be key or token.');
}

function parseWorkloads(text: string): Workload[] {
  return text.split(',').map((name) => {
    const workload = WORKLOADS.find(({ id }) => id === name.trim().toUpperCase());
    if (workload === undefined) throw new UsageError(`There is no workload "${name}".`);
    return workload;
  });
}
