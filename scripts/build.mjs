import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The repository, whatever the current folder is. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** The compiler's program. */
export const TSC = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

const DIST = path.join(ROOT, 'dist');
/** Says which sources the build was made of. */
const STAMP = path.join(DIST, '.sources');
const LOCK = path.join(DIST, '.building');
const LOCK_POLL_MS = 100;
/** No build takes this long: whoever made the lock is dead, and its process id belongs to another. */
const LOCK_MAX_AGE_MS = 10 * 60_000;

/**
 * Builds if there is no build, or if it was made of other sources than those that are there. Two at once are no harm:
 * the second waits for the first. Everything it has to say goes to stderr, since stdout belongs to the command.
 */
export async function ensureBuilt({ quiet }) {
  if (await isFresh()) return;
  await mkdir(DIST, { recursive: true }).catch((error) => {
    throw cannotWrite(error);
  });
  const release = await lock();
  try {
    if (await isFresh()) return;
    if (!quiet) process.stderr.write(`${await announcement()}\n`);
    // Taken before compiling: what is changed meanwhile makes the next start build again.
    const fingerprint = await fingerprintSources();
    await rm(STAMP, { force: true });
    await compile();
    await writeFile(STAMP, fingerprint);
  } finally {
    await release();
  }
}

/** After `npm run build` there is little to do, which the compiler finds out. */
async function announcement() {
  const isBuilt = await stat(path.join(DIST, 'cli.js')).catch(() => null);
  return isBuilt ? 'Bringing the build up to date ...' : 'Building Plinth, since there is no build yet ...';
}

async function isFresh() {
  const [stamp, fingerprint] = await Promise.all([
    readFile(STAMP, 'utf8').catch(() => undefined),
    fingerprintSources(),
  ]);
  return stamp === fingerprint;
}

/** A hash of the names, sizes and times of everything that goes into a build. */
async function fingerprintSources() {
  const libs = await readdir(path.join(ROOT, 'libs')).catch(() => []);
  const files = [
    ...(await listFiles(ROOT, /^(package|package-lock|tsconfig(\..+)?)\.json$/, false)),
    ...(await listFiles(path.join(ROOT, 'src'), /./, true)),
  ];
  for (const lib of libs) {
    files.push(
      ...(await listFiles(path.join(ROOT, 'libs', lib), /^(package|tsconfig(\..+)?)\.json$/, false)),
      ...(await listFiles(path.join(ROOT, 'libs', lib, 'src'), /./, true)),
    );
  }
  const facts = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(file);
      return `${path.relative(ROOT, file)} ${size} ${mtimeMs}`;
    }),
  );
  return createHash('sha256').update(facts.toSorted().join('\n')).digest('hex');
}

async function listFiles(folder, name, recursive) {
  const entries = await readdir(folder, { withFileTypes: true, recursive }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && name.test(entry.name) && !entry.name.endsWith('.spec.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function compile() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [TSC, '-b', 'tsconfig.build.json'], {
      cwd: ROOT,
      // The compiler reports on stdout.
      stdio: ['ignore', process.stderr, process.stderr],
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new BuildError(`The build failed (${signal ?? `code ${code}`}); what is wrong stands above.`));
    });
  });
}

/** Waits for its turn to build; gives the function that ends it. */
async function lock() {
  for (;;) {
    try {
      const file = await open(LOCK, 'wx');
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(LOCK, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw cannotWrite(error);
    }
    await removeAbandonedLock();
    await delay(LOCK_POLL_MS);
  }
}

/** Takes away the lock of a build that was killed. */
async function removeAbandonedLock() {
  const holder = await readFile(LOCK, 'utf8').catch(() => '');
  // Empty for the moment between being made and being filled.
  const ageMs =
    Date.now() -
    (await stat(LOCK)
      .then(({ mtimeMs }) => mtimeMs)
      .catch(() => Date.now()));
  if (ageMs < LOCK_MAX_AGE_MS && (holder === '' || isAlive(Number(holder)))) return;
  const mine = `${LOCK}-${randomUUID()}`;
  // Of several that want to take it away, one gets it.
  await rename(LOCK, mine).catch(() => {});
  const taken = await readFile(mine, 'utf8').catch(() => '');
  // A new lock took its place since it was read; it is given back.
  if (taken !== '' && taken !== holder) await rename(mine, LOCK).catch(() => {});
  await rm(mine, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** A build that cannot be had; `message` is for the person at the terminal. */
export class BuildError extends Error {}

function cannotWrite(error) {
  return new BuildError(
    `${DIST} needs to be built and this user cannot write there (${error.message}). ` +
      'Run "npm run build" as the owner of the folder.',
    { cause: error },
  );
}
