// Runs the tests of a folder at full length and prints their figures:
//   node scripts/long-tests.mjs faults [--only kill] [--times 200] [--seed 7]
//   node scripts/long-tests.mjs attack [--only fuzz] [--requests 100000] [--seed 7]
// `npm test` runs the same files, shortened.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './build.mjs';

const [folder, ...parameters] = process.argv.slice(2);
const options = parse();
const directory = mkdtempSync(path.join(tmpdir(), 'plinth-figures-'));
const figuresFile = path.join(directory, 'figures.jsonl');
const seed = options.seed ?? String(Date.now() % 1_000_000);
process.stdout.write(`Seed ${seed}\n`);
const { status } = spawnSync(
  process.execPath,
  [
    path.join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    `test/${folder}/${options.only ?? ''}`,
    '--no-file-parallelism',
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      PLINTH_LONG_RUN: 'yes',
      PLINTH_LONG_RUN_SEED: seed,
      PLINTH_LONG_RUN_TIMES: options.times ?? options.requests ?? '',
      PLINTH_LONG_RUN_FIGURES: figuresFile,
    },
  },
);
printFigures();
rmSync(directory, { recursive: true, force: true });
process.exit(status ?? 1);

function parse() {
  try {
    if (folder !== 'faults' && folder !== 'attack') throw new Error('Say which: faults or attack.');
    const number = folder === 'faults' ? 'times' : 'requests';
    const { values } = parseArgs({
      args: parameters,
      options: { only: { type: 'string' }, seed: { type: 'string' }, [number]: { type: 'string' } },
    });
    for (const name of ['seed', number]) {
      if (values[name] !== undefined && !/^[1-9]\d{0,8}$/.test(values[name]))
        throw new Error(`--${name} must be a whole number from 1 on.`);
    }
    return values;
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** One block for each test that told any: its name, and a line for each figure. */
function printFigures() {
  let text;
  try {
    text = readFileSync(figuresFile, 'utf8');
  } catch {
    return;
  }
  for (const line of text.trim().split('\n')) {
    const { name, figures } = JSON.parse(line);
    process.stdout.write(`\n${name}\n`);
    for (const [label, value] of Object.entries(figures))
      process.stdout.write(`  ${label.padEnd(48)} ${String(value)}\n`);
  }
}
