// Compiles at every change and restarts the server when what came out has no errors.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT, TSC } from './build.mjs';

const CLI = path.join(ROOT, 'dist', 'cli.js');
const parameters = process.argv.slice(2);

let isEnding = false;
/** The running server; undefined before the first build and after a crash. */
let server;
/** Restarts come one after the other. */
let restarting = Promise.resolve();

const compiler = spawn(
  process.execPath,
  [TSC, '-b', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'],
  {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
compiler.once('exit', (code) => {
  if (!isEnding) end(code ?? 1);
});
createInterface({ input: compiler.stdout }).on('line', (line) => {
  if (line.trim() !== '') process.stderr.write(`${line}\n`);
  if (/Found 0 errors/.test(line)) restarting = restarting.then(restart);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(0));

async function restart() {
  await stopServer();
  if (isEnding) return;
  const child = spawn(process.execPath, ['--enable-source-maps', CLI, 'start', ...parameters], {
    stdio: 'inherit',
  });
  server = child;
  child.once('exit', (code) => {
    if (server !== child) return;
    server = undefined;
    process.stderr.write(`The server ended with code ${code}; waiting for a change ...\n`);
  });
}

/** Lets the server finish what it is doing; its own time limit holds. */
async function stopServer() {
  const child = server;
  server = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  child.kill('SIGTERM');
  await exited;
}

function end(code) {
  // The second Ctrl-C of an impatient person.
  if (isEnding) process.exit(1);
  isEnding = true;
  compiler.kill();
  restarting.then(stopServer).then(
    () => process.exit(code),
    () => process.exit(1),
  );
}
