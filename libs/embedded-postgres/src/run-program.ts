import { spawn } from 'node:child_process';
import type { Account } from './account.js';

export interface ProgramResult {
  /** Null when a signal ended it or it could not be started. */
  readonly code: number | null;
  /** What it wrote, both streams together. */
  readonly output: string;
  /** Set when it could not be started. */
  readonly error?: Error;
}

/**
 * The environment of PostgreSQL's programs: nothing of Plinth's own, which holds secrets, and nothing that PostgreSQL
 * would take for an option.
 */
export function programEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC' };
  for (const name of ['PATH', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'NIX_LD', 'NIX_LD_LIBRARY_PATH']) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/**
 * Runs a program to its end, as the given account where one is given. Never rejects. The program does not outlive this
 * process.
 */
export function runProgram(
  path: string,
  parameters: readonly string[],
  options: { readonly cwd: string; readonly account?: Account },
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const output = (): string => Buffer.concat(chunks).toString('utf8').trim();
    const child = spawn(path, parameters, {
      cwd: options.cwd,
      env: programEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...options.account,
    });
    const killAtExit = (): void => void child.kill('SIGKILL');
    process.prependOnceListener('exit', killAtExit);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const finish = (result: ProgramResult): void => {
      process.off('exit', killAtExit);
      resolve(result);
    };
    child.once('error', (error) => finish({ code: null, output: output(), error }));
    child.once('close', (code) => finish({ code, output: output() }));
  });
}
