// Builds Plinth where that is needed, compiles the bench and runs one of its programs:
//   node bench/start.mjs main ...          the comparison with the hand-written server
//   node bench/start.mjs scale/main ...    how memory and time grow with the size of everything
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BuildError, ensureBuilt, ROOT, TSC } from '../scripts/build.mjs';

const [program = 'main', ...options] = process.argv.slice(2);
try {
  await ensureBuilt({ quiet: false });
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
const { status } = spawnSync(process.execPath, [TSC, '-p', path.join(ROOT, 'bench')], {
  // The compiler reports on stdout.
  stdio: ['ignore', process.stderr, process.stderr],
});
if (status !== 0) process.exit(1);

process.setSourceMapsEnabled(true);
const { main } = await import(pathToFileURL(path.join(ROOT, 'bench', 'dist', `${program}.js`)).href);
await main(options);
