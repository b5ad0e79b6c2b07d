// Builds Plinth where that is needed, compiles the bench and runs it.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BuildError, ensureBuilt, ROOT, TSC } from '../scripts/build.mjs';

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
const { main } = await import(pathToFileURL(path.join(ROOT, 'bench', 'dist', 'main.js')).href);
await main(process.argv.slice(2));
