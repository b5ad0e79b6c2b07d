#!/usr/bin/env node
import 'reflect-metadata';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import type { GrantsOptions } from './commands/database.command.js';
import type { CreateKeyOptions } from './commands/keys.command.js';
import type { CreateUserOptions } from './commands/users.command.js';
import { exitOnSignals } from './signals.js';

/** What still runs this long after a command failed is a left-over of it. */
const LEFT_OVERS_MS = 1000;

/** Commands are loaded when they run: most need the whole application, and `--help` needs none of it. */
function createProgram(): Command {
  const program = new Command('plinth')
    .description('Turns a PostgreSQL database into a production backend.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpCommand(true)
    .showSuggestionAfterError(true)
    .showHelpAfterError('`plinth --help` lists the commands, `plinth <command> --help` their options.')
    .exitOverride();
  program
    .command('start')
    .description('serve the database that DATABASE_URL names, or an embedded one')
    .action(async () => (await import('./commands/start.command.js')).start());
  program
    .command('demo')
    .description('serve a sample database with roles, policies and keys to try')
    .action(async () => (await import('./commands/demo.command.js')).startDemo());
  program
    .command('config')
    .description('print the settings in force, secrets masked')
    .action(async () => (await import('./commands/config.command.js')).printConfig());
  const keys = program.command('keys').description('API keys');
  keys
    .command('create')
    .description('make an API key and print it, once; only its hash is kept')
    .requiredOption('--role <name...>', 'a role that the key has; may be repeated')
    .requiredOption('--name <text>', 'what the key is for')
    .option('--expires-at <time>', 'when it ends, such as 2027-01-31T00:00:00Z')
    .action(async (options: CreateKeyOptions) =>
      (await import('./commands/keys.command.js')).createKey(options),
    );
  const users = program.command('users').description('people who sign in');
  users
    .command('create')
    .description('make a user with a random password and print it, once; only its hash is kept')
    .requiredOption('--email <address>', 'what the user signs in with')
    .option('--role <name...>', 'a role that the user has; may be repeated')
    .option('--password-stdin', 'take the password from standard input, and print nothing')
    .action(async (options: CreateUserOptions) =>
      (await import('./commands/users.command.js')).createUser(options),
    );
  const schema = program.command('schema').description('the structure of the database');
  schema
    .command('print')
    .description('print the collections, fields and relations')
    .action(async () => (await import('./commands/schema.command.js')).printSchema());
  const database = program.command('database').description('the database that records are in');
  database
    .command('grants')
    .description('print the SQL that gives a role what Plinth needs, and nothing else')
    .option('--role <name>', 'the role; by default the one of DATABASE_URL')
    .option('--read-only', 'grant no writing of records')
    .action(async (options: GrantsOptions) =>
      (await import('./commands/database.command.js')).printGrants(options),
    );
  program
    .command('doctor')
    .description('check the set-up and say what to do')
    .action(async () => (await import('./commands/doctor.command.js')).runDoctor());
  return program;
}

function readVersion(): string {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  return version;
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
    const { explainFailure } = await import('./commands/explain-failure.js');
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exitCode = 1;
  }
}

/** Runs the process's command line, as the process's only purpose. */
export async function runProcess(commandLine: readonly string[]): Promise<void> {
  exitOnSignals();
  // Whoever reads the output may have seen enough of it: `plinth config | head -1`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  await run(commandLine);
  // A start that failed half-way may have left connections that nobody can close any more.
  if (process.exitCode) setTimeout(() => process.exit(), LEFT_OVERS_MS).unref();
}

const isEntryPoint =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isEntryPoint) await runProcess(process.argv.slice(2));
