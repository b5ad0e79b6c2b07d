// Does what the Dockerfile says without Docker, and starts the result as a container would: as its user, on a root file
// system that cannot be written. For machines that have no Docker; needs Linux, root and a Debian that stands for the
// base image:
//   node scripts/walk-dockerfile.mjs [path of the base image's node]
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const PORT = 3187;
const START_TIMEOUT_MS = 60_000;

const [nodePath = process.execPath, work] = process.argv.slice(2);
if (work === undefined) await walkApart();
else await walk();

/** Mounts are seen by the process that makes them alone, and are gone with it, before what is below them is deleted. */
async function walkApart() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'plinth-image-'));
  const parameters = ['--mount', process.execPath, fileURLToPath(import.meta.url), nodePath, folder];
  const [code] = await once(spawn('unshare', parameters, { stdio: 'inherit' }), 'exit');
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
}

async function walk() {
  // Apart from the file system that the base image is taken from, so that layers do not contain each other.
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', work]);
  const context = copyContext();
  const stages = new Map();
  let stage;
  for (const { name, text } of readInstructions()) {
    console.log(`${name} ${text}`);
    if (name === 'FROM') stage = openStage(text, stages);
    else if (name === 'ENV') Object.assign(stage.env, readPairs(text));
    else if (name === 'ARG') Object.assign(stage.args, readPairs(text));
    else if (name === 'COPY') copy(text, stage, stages, context);
    else if (name === 'RUN') run(stage, ['sh', '-c', text]);
    else if (name === 'WORKDIR') mkdirSync(path.join(stage.root, (stage.cwd = text)), { recursive: true });
    else stage[name.toLowerCase()] = text;
  }
  await serve(stage);
}

function readInstructions() {
  const lines = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => ({ name: line.split(' ', 1)[0], text: line.slice(line.indexOf(' ') + 1) }));
}

function readPairs(text) {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g)].map(([, name, quoted, plain]) => [
      name,
      quoted ?? plain,
    ]),
  );
}

/** What of the repository the build may see. */
function copyContext() {
  const context = path.join(work, 'context');
  const rules = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isExcluded: !line.startsWith('!'), pattern: toPattern(line.replace(/^!/, '')) }));
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of files.trim().split('\n')) {
    const rule = rules.findLast(({ pattern }) => pattern.test(file));
    if (rule?.isExcluded || !existsSync(path.join(ROOT, file))) continue;
    cpSync(path.join(ROOT, file), path.join(context, file));
  }
  return context;
}

/** A pattern of .dockerignore matches a path and everything below it. */
function toPattern(text) {
  return new RegExp(
    `^${text
      .replaceAll(/[.+]/g, String.raw`\$&`)
      .replaceAll('**/', '(?:.*/)?')
      .replaceAll(/(?<!\.)\*/g, '[^/]*')}(?:/.*)?$`,
  );
}

/** The file system of a stage: this machine's stands for the base image, and an earlier stage for itself. */
function openStage(text, stages) {
  const [base, , name = 'final'] = text.split(' ');
  const parent = stages.get(base);
  const [upper, workdir, root] = ['upper', 'work', 'root'].map((part) => path.join(work, name, part));
  for (const folder of [upper, workdir, root]) mkdirSync(folder, { recursive: true });
  const lower = [...(parent?.layers ?? []), '/'].join(':');
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${workdir}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, root]);
  const stage = {
    root,
    cwd: '/',
    env: {},
    args: {},
    ...(parent && { cwd: parent.cwd, env: { ...parent.env } }),
    layers: [upper, ...(parent?.layers ?? [])],
  };
  if (parent === undefined) {
    // What the base image has, and has not.
    for (const folder of ['/app', '/var/lib/plinth']) run(stage, ['rm', '-rf', folder]);
    const node = path.join(root, 'usr/local/bin/node');
    rmSync(node, { force: true });
    cpSync(nodePath, node);
    if (!/^[^:]+:x:1000:/m.test(readFileSync(path.join(root, 'etc/passwd'), 'utf8'))) {
      appendFileSync(path.join(root, 'etc/passwd'), 'node:x:1000:1000::/home/node:/bin/sh\n');
    }
  }
  stages.set(name, stage);
  return stage;
}

function copy(text, stage, stages, context) {
  const words = text.split(' ');
  const from = words[0].startsWith('--from=')
    ? stages.get(words.shift().slice('--from='.length)).root
    : context;
  const target = path.resolve(stage.cwd, words.at(-1));
  for (const source of words.slice(0, -1)) {
    // A folder's content is copied, a file into the folder.
    const name = words.at(-1).endsWith('/') && path.extname(source) !== '' ? path.basename(source) : '';
    const isName = name === '' && path.basename(source).startsWith('.') ? path.basename(source) : name;
    cpSync(path.join(from, source), path.join(stage.root, target, isName), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}

function environmentOf({ env, args }) {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    ...args,
    ...env,
  };
}

function run(stage, command) {
  execFileSync('chroot', [stage.root, 'sh', '-c', 'cd "$0" && exec "$@"', stage.cwd, ...command], {
    env: environmentOf(stage),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** As a container with a read-only root file system and the declared volume. */
async function serve(stage) {
  const { root, cwd, user, volume, entrypoint, cmd, healthcheck } = stage;
  const [uid, gid] = user.split(':');
  execFileSync('mount', ['-o', 'remount,ro', root]);
  for (const folder of [...JSON.parse(volume), '/tmp']) {
    execFileSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `uid=${uid},gid=${gid},mode=700`,
      'tmpfs',
      path.join(root, folder),
    ]);
  }
  execFileSync('mount', ['-t', 'proc', 'proc', path.join(root, 'proc')]);
  execFileSync('mount', ['--rbind', '/dev', path.join(root, 'dev')]);
  const start = (command, stdio) => {
    const parameters = [
      `--userspec=${uid}:${gid}`,
      root,
      'sh',
      '-c',
      'cd "$0" && exec "$@"',
      cwd,
      ...command,
    ];
    const env = {
      ...environmentOf(stage),
      HOME: '/',
      PORT,
      PLINTH_WORKERS: process.env.PLINTH_WORKERS ?? '1',
    };
    return spawn('chroot', parameters, { env, stdio });
  };
  const check = JSON.parse(/CMD (.*)$/.exec(healthcheck)[1]);
  const startedAt = performance.now();
  const server = start([...JSON.parse(entrypoint), ...JSON.parse(cmd)], 'inherit');
  const ended = once(server, 'exit');
  for (;;) {
    const [code] = await once(start(check, 'inherit'), 'exit');
    if (code === 0) break;
    if (server.exitCode !== null || performance.now() - startedAt > START_TIMEOUT_MS)
      throw new Error('It never was healthy.');
    await delay(100);
  }
  console.log(`healthy after ${Math.round(performance.now() - startedAt)} ms, as user ${uid}`);
  console.log('ready:', await (await fetch(`http://127.0.0.1:${PORT}/health/ready`)).text());
  console.log(execFileSync('du', ['-sh', path.join(root, 'app')], { encoding: 'utf8' }).trim());
  server.kill('SIGTERM');
  const [code] = await ended;
  console.log(`stopped with ${code}`);
  if (code !== 0) process.exitCode = 1;
}
