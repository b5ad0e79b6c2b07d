import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const REPOSITORY = resolve(import.meta.dirname, '../..');

/** A command line program that tells what it was given, and ends as it is told. */
const CLI = `
const [command, ...rest] = process.argv.slice(2);
if (command === 'fail') process.exitCode = Number(rest[0]);
if (command === 'wait') {
  process.on('SIGTERM', () => process.exit(42));
  setInterval(() => {}, 1000);
}
console.log(JSON.stringify({ command, rest, cwd: process.cwd() }));
`;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('scripts/start.mjs', () => {
  let root: string;

  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'plinth-start-')));
    await mkdir(join(root, 'src'));
    await Promise.all([
      cp(join(REPOSITORY, 'scripts'), join(root, 'scripts'), { recursive: true }),
      symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules')),
      writeFile(join(root, 'package.json'), '{ "type": "module" }'),
      writeFile(
        join(root, 'tsconfig.build.json'),
        JSON.stringify({
          compilerOptions: {
            composite: true,
            target: 'ES2023',
            module: 'NodeNext',
            types: ['node'],
            rootDir: 'src',
            outDir: 'dist',
            tsBuildInfoFile: 'dist/.tsbuildinfo',
          },
          include: ['src'],
        }),
      ),
      writeFile(join(root, 'src/cli.ts'), CLI),
    ]);
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const start = (parameters: readonly string[], cwd = root): ChildProcess =>
    spawn(process.execPath, [join(root, 'scripts/start.mjs'), ...parameters], { cwd });
  const run = (parameters: readonly string[], cwd?: string): Promise<Outcome> =>
    outcomeOf(start(parameters, cwd));
  const told = ({ stdout }: Outcome): unknown => JSON.parse(stdout);

  it('builds once when two are started at once on nothing, and only stderr hears of it', async () => {
    const outcomes = await Promise.all([run([]), run([])]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ code: 0 });
      expect(told(outcome)).toEqual({ command: 'start', rest: [], cwd: root });
    }
    expect(outcomes.filter(({ stderr }) => stderr.includes('Building'))).toHaveLength(1);
  });

  it('does not build again while the sources are the same', async () => {
    const before = await readFile(join(root, 'dist/.tsbuildinfo'), 'utf8');
    expect(await run([])).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(root, 'dist/.tsbuildinfo'), 'utf8')).toBe(before);
  });

  it.each([
    { given: ['demo'], command: 'demo', rest: [] },
    { given: ['--port', '1'], command: 'start', rest: ['--port', '1'] },
    {
      given: ['--quiet-build', 'cli', 'keys', 'create', '--name', 'a b'],
      command: 'keys',
      rest: ['create', '--name', 'a b'],
    },
    { given: ['--quiet-build', 'cli'], command: undefined, rest: [] },
  ])('passes $given on', async ({ given, command, rest }) => {
    expect(told(await run(given))).toMatchObject(command === undefined ? { rest } : { command, rest });
  });

  it('works from another folder, in which the command then runs', async () => {
    const elsewhere = await realpath(tmpdir());
    expect(told(await run(['demo'], elsewhere))).toMatchObject({ cwd: elsewhere });
  });

  it('gives the exit code of the command', async () => {
    expect(await run(['fail', '7'])).toMatchObject({ code: 7 });
  });

  it('hands signals to the command', async () => {
    const child = start(['wait']);
    const outcome = outcomeOf(child);
    await new Promise((ready) => {
      child.stdout?.once('data', ready);
    });
    child.kill('SIGTERM');
    expect(await outcome).toMatchObject({ code: 42 });
  });

  it('builds again after a change, without a word when asked to be quiet', async () => {
    await writeFile(join(root, 'src/cli.ts'), `${CLI}\nconsole.log('changed');\n`);
    const outcome = await run(['--quiet-build', 'cli', 'x']);
    expect(outcome.stdout).toContain('changed');
    expect(outcome.stderr).toBe('');
  });

  it('takes over the lock of a build that was killed', async () => {
    const killed = start([]);
    await outcomeOf(killed);
    await writeFile(join(root, 'dist/.building'), String(killed.pid));
    await writeFile(join(root, 'src/cli.ts'), `${CLI}\nconsole.log('changed again');\n`);
    expect((await run([])).stdout).toContain('changed again');
  });

  it('shows what is wrong with the sources, and does not run what was built before', async () => {
    await writeFile(join(root, 'src/cli.ts'), `const wrong: number = 'text';\nconsole.log(wrong);\n`);
    const outcome = await run(['--quiet-build', 'cli']);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/cli\.ts.*TS2322[\s\S]*build failed/);
    // The failed build must not count as one.
    expect(await run([])).toMatchObject({ code: 1, stdout: '' });
  });
});

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolveOutcome, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (code) => resolveOutcome({ code, stdout, stderr }));
  });
}
