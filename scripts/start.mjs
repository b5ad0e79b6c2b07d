// Runs a command of Plinth, after a build where one is needed:
//   node scripts/start.mjs                       the server
//   node scripts/start.mjs demo                  the given command
//   node scripts/start.mjs --quiet-build cli ... the given command, whatever it is; says nothing about the build
import module from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BuildError, ensureBuilt, ROOT } from './build.mjs';

const { quiet, command } = parse(process.argv.slice(2));
try {
  await ensureBuilt({ quiet });
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

// In this process, so that signals, exit codes and the terminal are the command's own.
const cli = path.join(ROOT, 'dist', 'cli.js');
process.argv = [process.execPath, cli, ...command];
// Traces name the sources where Node can do without the maps of all packages, which take some 15 MB of memory.
module.setSourceMapsSupport?.(true, { nodeModules: false });
await import(pathToFileURL(cli).href);

function parse(parameters) {
  const quiet = parameters[0] === '--quiet-build';
  const [first, ...rest] = quiet ? parameters.slice(1) : parameters;
  if (first === 'cli') return { quiet, command: rest };
  // Options without a command are the server's.
  const isServer = first === undefined || first.startsWith('-');
  return {
    quiet,
    command: isServer ? ['start', ...(first === undefined ? [] : [first]), ...rest] : [first, ...rest],
  };
}
