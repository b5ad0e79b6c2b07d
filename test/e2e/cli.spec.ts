import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SETTINGS } from '../../src/common/config/settings.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import {
  BUILD_TIMEOUT_MS,
  ensureBuilt,
  REPOSITORY,
  runPlinth,
  servePlinth,
  startPlinth,
  type ServingProcess,
} from '../kit/plinth-process.js';

// Every test starts processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeAll(ensureBuilt, BUILD_TIMEOUT_MS);

const KEY_LINE = /^plinth_[0-9A-Za-z]{10}_[0-9A-Za-z]{38}\n$/;

describe.concurrent('plinth', () => {
  it('lists its commands on stdout when asked to', async () => {
    const { code, stdout, stderr } = await runPlinth(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of ['start', 'demo', 'config', 'keys', 'schema', 'doctor'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(await runPlinth(['help', 'keys'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('create'),
    });
  });

  it('tells its version', async () => {
    expect(await runPlinth(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  it.each([
    { words: ['strat'], says: /unknown command 'strat'\n\(Did you mean start\?\)/ },
    { words: ['--prot', '1'], says: /unknown option '--prot'/ },
    { words: ['config', 'all'], says: /too many arguments for 'config'/ },
    { words: ['config', '--json'], says: /unknown option '--json'/ },
    { words: ['keys', 'creat'], says: /unknown command 'creat'\n\(Did you mean create\?\)/ },
    { words: ['keys', 'create', '--name', 'x'], says: /'--role <name...>' not specified/ },
    { words: ['keys', 'create', '--role', 'admin'], says: /'--name <text>' not specified/ },
    { words: ['keys', 'create', '--role', 'admin', '--name'], says: /'--name <text>' argument missing/ },
    { words: [], says: /^Usage: plinth/ },
    { words: ['keys'], says: /^Usage: plinth keys/ },
  ])('ends with 2, and says why on stderr alone: $words', async ({ words, says }) => {
    const { code, stdout, stderr } = await runPlinth(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/--help/);
  });

  it('runs through npm, from the folder that the shell is in', async () => {
    const npm = spawn('npm', ['--prefix', REPOSITORY, 'run', '-s', 'plinth', '--', 'config'], {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'], HOME: tmpdir(), PORT: '4711' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    npm.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    expect(await once(npm, 'close')).toEqual([0, null]);
    expect(stdout).toMatch(/^# /);
    expect(stdout).toContain('\nPORT=4711\n');
  });
});

describe.concurrent('plinth config', () => {
  it('prints every setting, with the password masked, on stdout alone', async () => {
    const env = { DATABASE_URL: 'postgres://shop:s3cret@db:5432/shop?password=s3cret2', PORT: ' 4711 ' };
    const { code, stdout, stderr } = await runPlinth(['config'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { variable } of Object.values(SETTINGS)) expect(stdout).toContain(`\n${variable}=`);
    expect(stdout).toContain('\nPORT=4711\n');
    expect(stdout).toContain('DATABASE_URL=postgres://shop:***@db:5432/shop?password=***\n');
    expect(stdout).not.toContain('s3cret');
  });

  it('ends with 1 and every mistake on stderr, without the values that are secret', async () => {
    const env = {
      PORT: '70000',
      PLINTH_POOL_SIZE: 'many',
      PLINTH_PASSWORD: 's3cret',
      DATABASE_URL: 'postgres:shop:s3cret@db/shop',
    };
    const { code, stdout, stderr } = await runPlinth(['config'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const variable of Object.keys(env)) expect(stderr).toContain(`  ${variable} `);
    expect(stderr).not.toMatch(/s3cret|\n {4}at /);
  });

  it('ends quietly when whoever reads its output has seen enough', async () => {
    const plinth = spawn(process.execPath, [join(REPOSITORY, 'dist/cli.js'), 'config'], {
      cwd: tmpdir(),
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Closed before there is anything to read, so that every write fails.
    plinth.stdout.destroy();
    let stderr = '';
    plinth.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    expect(await once(plinth, 'close')).toEqual([0, null]);
    expect(stderr).toBe('');
  });
});

describe.concurrent('with DATABASE_URL', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  let server: ServingProcess;
  beforeAll(async () => {
    database = await createTestDatabase({
      sql: `CREATE TABLE books (id int PRIMARY KEY, title text NOT NULL); INSERT INTO books VALUES (1, 'One');`,
    });
    env = { DATABASE_URL: database.url };
    server = await servePlinth({ env });
  });
  afterAll(async () => {
    await server?.stop();
    await database?.drop();
  });
  const statusFor = async (key: string): Promise<number> =>
    (await fetch(`${server.url}/system/keys`, { headers: { 'x-api-key': key } })).status;

  it('`start` writes nothing on stdout and its log on stderr', async () => {
    expect(server.stdout()).toBe('');
    expect(server.log().map(({ msg }) => msg)).toContain('Plinth is listening');
    expect(server.stderr().trimEnd().split('\n')).toHaveLength(server.log().length);
  });

  it('`keys create` prints a key alone, which the running server takes', async () => {
    const words = ['keys', 'create', '--role', 'admin', '--role', 'public', '--name', 'a b'];
    const [first, second] = await Promise.all([
      runPlinth(words, { env }),
      // A name says what a key is for; two may be for the same.
      runPlinth([...words, '--expires-at', '2099-01-31T00:00:00Z'], { env }),
    ]);
    for (const { code, stdout, stderr } of [first, second]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(KEY_LINE);
      expect(await statusFor(stdout.trim())).toBe(200);
    }
    expect(first.stdout).not.toBe(second.stdout);
    const rows = await database.query(
      `SELECT expires_at, roles FROM plinth.api_keys WHERE name = 'a b' ORDER BY expires_at`,
    );
    const roles = ['admin', 'public'];
    expect(rows).toEqual([
      { expires_at: new Date('2099-01-31T00:00:00Z'), roles },
      { expires_at: null, roles },
    ]);
  });

  it.each([
    { name: 'refused', options: ['--role', 'nobody'], says: '--role names no role: "nobody"\n' },
    { name: '', options: ['--role', 'admin'], says: '--name should not be empty\n' },
  ])('`keys create` ends with 1 and makes no key: $says', async ({ name, options, says }) => {
    expect(await runPlinth(['keys', 'create', '--name', name, ...options], { env })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: says,
    });
    expect(await database.query('SELECT FROM plinth.api_keys WHERE name = $1', [name])).toEqual([]);
  });

  it('`schema print` prints the structure on stdout alone', async () => {
    const { code, stdout, stderr } = await runPlinth(['schema', 'print'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^catalog \w+, schemas: public\n[\s\S]*\nbooks {2}\(table\)\n[\s\S]*title/);
  });

  it('`start` loads OpenTelemetry only where traces are exported', async () => {
    const tellAtExit = `import { createRequire } from 'node:module';
      const { cache } = createRequire(process.execPath);
      process.on('exit', () => {
        console.error(Object.keys(cache).some((path) => path.includes('@opentelemetry')) ? 'loaded' : 'not loaded');
      });`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(tellAtExit)}`;
    const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    const [without, withTraces] = await Promise.all([
      servePlinth({ env: { ...env, NODE_OPTIONS } }),
      servePlinth({ env: { ...env, NODE_OPTIONS, ...collector } }),
    ]);
    expect((await without.stop()).stderr).toMatch(/\nnot loaded\n$/);
    expect((await withTraces.stop()).stderr).toMatch(/\nloaded\n$/);
  });

  it('`start` ends with 1 where its port is taken, and says what to do', async () => {
    const { port } = new URL(server.url);
    const { code, stdout, stderr } = await runPlinth(['start'], { env: { ...env, PORT: port } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`The port ${port} of 127.0.0.1 is taken.*\n.*set PORT`));
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe.concurrent('with a DATABASE_URL that leads nowhere', () => {
  const nowhere = 'postgres://shop:s3cret@127.0.0.1:1/shop';

  it('`start` ends with 1, says what to do, and keeps the password to itself', async () => {
    const env = { DATABASE_URL: nowhere, PLINTH_DATABASE_WAIT: '0', PORT: '0' };
    const { code, stdout, stderr } = await runPlinth(['start'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /postgres:\/\/shop:\*\*\*@127\.0\.0\.1:1\/shop cannot be reached: .*\nStart PostgreSQL/,
    );
    expect(stderr).not.toMatch(/s3cret|\n {4}at /);
  });

  it.each([
    { signal: 'SIGINT', code: 130, words: ['keys', 'create', '--role', 'admin', '--name', 'x'] },
    { signal: 'SIGHUP', code: 129, words: ['start'] },
  ] as const)('$signal ends what waits for the database: $words', async ({ signal, code, words }) => {
    const env = { DATABASE_URL: nowhere, PORT: '0', PLINTH_LOG_FORMAT: 'json' };
    const waiting = startPlinth(words, { env });
    await waiting.logged(({ msg }) => msg.includes('trying again'));
    waiting.send(signal);
    expect(await waiting.outcome).toMatchObject({ code, signal: null, stdout: '' });
  });
});
