#!/usr/bin/env node
import 'reflect-metadata';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { printConfig } from './commands/config.command.js';
import { startDemo } from './commands/demo.command.js';
import { runDoctor } from './commands/doctor.command.js';
import { CommandFailure } from './commands/failure.js';
import { createKey } from './commands/keys.command.js';
import { printSchema } from './commands/schema.command.js';
import { start } from './commands/start.command.js';
import { ConfigError } from './common/config/index.js';

function createProgram(): Command {
  const program = new Command('plinth')
    .description('Turns a PostgreSQL database into a production backend.')
    .helpCommand(true)
    .showSuggestionAfterError(true)
    .exitOverride();
  program
    .command('start')
    .description('serve the database that DATABASE_URL names, or an embedded one')
    .action(start);
  program
    .command('demo')
    .description('serve a sample database with roles, policies and keys to try')
    .action(startDemo);
  program.command('config').description('print the settings in force, secrets masked').action(printConfig);
  const keys = program.command('keys').description('API keys');
  keys
    .command('create')
    .description('make an API key and print it, once; only its hash is kept')
    .requiredOption('--role <name...>', 'a role that the key has; may be repeated')
    .requiredOption('--name <text>', 'what the key is for')
    .option('--expires-at <time>', 'when it ends, such as 2027-01-31T00:00:00Z')
    .action(createKey);
  const schema = program.command('schema').description('the structure of the database');
  schema.command('print').description('print the collections, fields and relations').action(printSchema);
  program.command('doctor').description('check the set-up and say what to do').action(runDoctor);
  return program;
}

/** Runs a command; failures end on stderr with exit code 1, wrong usage with 2. */
export async function run(commandLine: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(commandLine, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = 1;
  }
}

/** Mistakes of the operator in words; anything else with its stack, because it is ours. */
function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof CommandFailure) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const isEnvironment = typeof code === 'string' && !code.startsWith('ERR_');
  return isEnvironment ? `${error.message} (${code})` : (error.stack ?? error.message);
}

const isEntryPoint =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isEntryPoint) await run(process.argv.slice(2));
