import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Controller, Get, Module, VersioningType, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiKeysService } from '../../src/access/index.js';
import {
  createHttpAdapter,
  createLogger,
  parseConfig,
  PLINTH_ROUTES,
  PlinthModule,
  type PlinthOptions,
} from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, REPOSITORY } from '../kit/plinth-process.js';
import { CountingInterceptor, HostModule } from './embedding/host.module.js';

interface Host {
  readonly app: NestFastifyApplication;
  readonly key: string;
  ask(method: string, path: string, body?: unknown, key?: string | null): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const SQL = `CREATE TABLE posts (id int PRIMARY KEY, rank numeric); INSERT INTO posts VALUES (1, 12345678901234567890.5)`;

const optionsFor = (database: TestDatabase): Required<PlinthOptions> => {
  const config = parseConfig({ DATABASE_URL: database.url, PORT: '0', PLINTH_LOG_LEVEL: 'fatal' });
  return { config, logger: createLogger(config) };
};

interface StartOptions {
  /** Default: `HostModule`. */
  readonly module?: (options: PlinthOptions) => DynamicModule;
  readonly adapter?: FastifyAdapter;
  /** What the host does between making the application and listening. */
  readonly prepare?: (app: NestFastifyApplication) => unknown;
}

async function start(database: TestDatabase, { module, adapter, prepare }: StartOptions = {}): Promise<Host> {
  const options = optionsFor(database);
  const app = await NestFactory.create<NestFastifyApplication>(
    module?.(options) ?? HostModule.forRoot(database.url, options),
    adapter ?? createHttpAdapter(options.config, options.logger),
    { logger: false, abortOnError: false },
  );
  try {
    prepare?.(app);
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const url = await app.getUrl();
  const { key: adminKey } = await app
    .get(ApiKeysService, { strict: false })
    .create({ name: 'admin', roles: ['admin'] });
  return {
    app,
    key: adminKey,
    async ask(method: string, path: string, body?: unknown, key: string | null = adminKey) {
      const headers = {
        ...(key === null ? {} : { 'x-api-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const content = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await fetch(url + path, { method, headers, body: content });
      const text = await response.text();
      const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: (isJson ? JSON.parse(text) : {}) as Answer['body'],
      };
    },
  };
}

const connectionsTo = async (database: TestDatabase): Promise<string[]> =>
  (
    await database.query<{ application_name: string }>(
      `SELECT application_name FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> ''`,
    )
  ).map((row) => row.application_name);

describe('Plinth in an application with its own TypeORM, pipes, filters and interceptors', () => {
  let database: TestDatabase;
  let host: Host;
  beforeAll(async () => {
    database = await createTestDatabase({ sql: SQL });
    host = await start(database);
  });
  afterAll(async () => {
    await host?.app.close();
    await database?.drop();
  });

  it('leaves the host its data source, its entities and its connections', async () => {
    expect((await host.ask('POST', '/members', { name: 'Ada' })).status).toBe(201);
    expect((await host.ask('GET', '/members')).body).toEqual([{ id: 1, name: 'Ada' }]);
    const { body } = await host.ask('GET', '/members/connections');
    expect(body).toMatchObject({ isOne: true, applications: [[{ name: 'host' }], 'plinth'] });
    // Those of other applications in this process may be there, too: Nest keeps them by the data source's name.
    expect(body.entities).toContain('Member');
    const own = host.app.get<DataSource>(getDataSourceToken('plinth'), { strict: false });
    for (const { name } of own.entityMetadatas) expect(body.entities).not.toContain(name);
  });

  it('has a data source of its own, with its own entities and no other', () => {
    const own = host.app.get<DataSource>(getDataSourceToken('plinth'), { strict: false });
    const names = own.entityMetadatas.map(({ name }) => name);
    expect(names).toContain('ApiKey');
    expect(names).not.toContain('Member');
    expect(own.entityMetadatas.every(({ schema }) => schema === 'plinth')).toBe(true);
  });

  it("serves the host's tables beside all others, and its own to nobody", async () => {
    await vi.waitFor(async () => expect((await host.ask('GET', '/api/members')).status).toBe(200), {
      timeout: 10_000,
    });
    expect((await host.ask('GET', '/api/api_keys')).status).toBe(404);
    expect((await host.ask('GET', '/api/plinth.api_keys')).status).toBe(404);
  });

  it("decides on the host's routes as they declare, and tells them who asks", async () => {
    expect((await host.ask('GET', '/members/me', undefined, null)).status).toBe(401);
    expect((await host.ask('GET', '/members/me', undefined, 'plinth_wrong')).status).toBe(401);
    expect((await host.ask('GET', '/members/me')).body).toEqual({ kind: 'key', roles: ['admin', 'public'] });
    expect((await host.ask('GET', '/members', undefined, null)).status).toBe(200);
  });

  it("asks the host's filters first, and answers with problems what they leave", async () => {
    expect(await host.ask('GET', '/members/teapot')).toMatchObject({ status: 418, body: { isTeapot: true } });
    const bug = await host.ask('GET', '/members/bug');
    expect(bug).toMatchObject({ status: 500, body: { type: '/problems/internal-error' } });
    expect(bug.text).not.toContain('secret');
    expect(await host.ask('GET', '/api/nowhere')).toMatchObject({
      status: 404,
      body: { type: '/problems/unknown-collection' },
    });
  });

  it.each([
    { path: 'missing', status: 404, type: '/problems/not-found', detail: 'There is no such member.' },
    { path: 'gone', status: 410, type: 'about:blank', title: 'Gone', detail: 'The member has left.' },
    {
      path: 'unprocessable',
      status: 422,
      type: 'about:blank',
      title: 'Unprocessable Entity',
      detail: 'name is taken; name is rude',
    },
    {
      path: 'closed',
      status: 503,
      type: 'about:blank',
      title: 'Service Unavailable',
      detail: 'Members are asleep.',
    },
    {
      path: 'nowhere/at/all',
      status: 404,
      type: '/problems/not-found',
      detail: 'There is nothing at this address.',
    },
  ])(
    "answers an exception of Nest's by its status, in its words: $status $path",
    async ({ path, ...problem }) => {
      const answer = await host.ask('GET', `/members/${path}`);
      expect(answer.status).toBe(problem.status);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body).toEqual({ requestId: expect.any(String), title: expect.any(String), ...problem });
    },
  );

  it("runs the host's pipes before its own, which are strict with DTOs of both", async () => {
    expect((await host.ask('POST', '/members', { name: '  Grace  ' })).body).toMatchObject({ name: 'Grace' });
    for (const [path, body] of [
      ['/members', { name: 'x', role: 'admin' }],
      ['/system/roles', { name: 'x', role: 'admin' }],
    ] as const) {
      expect(await host.ask('POST', path, body)).toMatchObject({
        status: 400,
        body: { type: '/problems/unknown-field', errors: [{ pointer: '/role' }] },
      });
    }
    expect((await host.ask('POST', '/members', { name: 'x'.repeat(21) })).status).toBe(400);
  });

  it("runs the host's interceptors around all routes, and gives them no way to records", async () => {
    const { seen } = host.app.get(CountingInterceptor);
    seen.length = 0;
    expect((await host.ask('GET', '/members')).headers.get('x-host')).toBe('seen');
    const records = await host.ask('GET', '/api/posts');
    expect(records.text).toBe('{"data":[{"id":1,"rank":12345678901234567890.5}],"page":{"next":null}}');
    await host.ask('GET', '/system/roles');
    expect(seen).toEqual(['MembersController', 'RecordsController', 'RolesController']);
  });

  it('keeps numbers exact without a setting of the host', async () => {
    const made = await host.ask('POST', '/api/posts', '{"id": 2, "rank": 98765432109876543210.25}');
    expect([made.status, made.text]).toEqual([201, '{"id":2,"rank":98765432109876543210.25}']);
    // Nest's parser for forms is not there, either.
    const answer = await fetch(`${await host.app.getUrl()}/members`, {
      method: 'POST',
      body: new URLSearchParams({ name: 'Form' }),
    });
    expect(answer.status).toBe(415);
  });

  it("has the host's routes in the OpenAPI document, for those who may call them", async () => {
    const paths = async (key: string | null): Promise<string[]> =>
      Object.keys((await host.ask('GET', '/openapi.json', undefined, key)).body['paths'] as object);
    expect(await paths(null)).toContain('/members');
    expect(await paths(null)).not.toContain('/members/me');
    expect(await paths(host.key)).toEqual(expect.arrayContaining(['/members', '/members/me', '/api/posts']));
  });
});

describe('a host', () => {
  let database: TestDatabase;
  const apps: NestFastifyApplication[] = [];
  beforeAll(async () => {
    database = await createTestDatabase({ sql: SQL });
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });
  afterAll(() => database?.drop());

  const startOne = async (options: StartOptions): Promise<Host> => {
    const host = await start(database, options);
    apps.push(host.app);
    return host;
  };

  it('with a global prefix has it on its own routes, and Plinth where clients look for it', async () => {
    const host = await startOne({ prepare: (app) => app.setGlobalPrefix('v1') });
    expect((await host.ask('GET', '/v1/members')).status).toBe(200);
    expect((await host.ask('GET', '/members')).status).toBe(404);
    const made = await host.ask('POST', '/api/posts', '{"id": 3, "rank": 1}');
    expect([made.status, made.headers.get('location')]).toEqual([201, '/api/posts/3']);
    for (const path of ['/api/posts/3', '/system/roles', '/docs', '/openapi.json', '/health/ready'])
      expect([path, (await host.ask('GET', path)).status]).toEqual([path, 200]);
    const paths = Object.keys((await host.ask('GET', '/openapi.json')).body['paths'] as object);
    expect(paths).toEqual(expect.arrayContaining(['/v1/members', '/api/posts', '/system/roles']));
    expect(paths).not.toContain('/v1/system/roles');
  });

  it('with exceptions of its own from the prefix is told to except Plinth, too', async () => {
    const exclude = ['members'];
    await expect(
      start(database, { prepare: (app) => app.setGlobalPrefix('v1', { exclude }) }),
    ).rejects.toThrow('PLINTH_ROUTES');
    const host = await startOne({
      prepare: (app) => app.setGlobalPrefix('v1', { exclude: [...exclude, ...PLINTH_ROUTES] }),
    });
    for (const path of ['/members', '/api/posts', '/system/roles', '/docs', '/openapi.json', '/health/live'])
      expect([path, (await host.ask('GET', path)).status]).toEqual([path, 200]);
  });

  it('with versions in its addresses has them on its own routes only', async () => {
    const host = await startOne({
      prepare: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' }),
    });
    expect((await host.ask('GET', '/v2/members')).status).toBe(200);
    expect((await host.ask('GET', '/api/posts')).status).toBe(200);
    expect((await host.ask('GET', '/system/roles')).status).toBe(200);
  });

  it('with a route that nobody decided on does not start, and is told which; nothing is left open', async () => {
    @Controller('forgotten')
    class ForgottenController {
      @Get('list')
      list(): string {
        return 'open?';
      }
    }
    @Module({})
    class ForgetfulModule {}
    const module = (options: PlinthOptions): DynamicModule => ({
      module: ForgetfulModule,
      imports: [PlinthModule.forRoot(options)],
      controllers: [ForgottenController],
    });
    await expect(start(database, { module })).rejects.toThrow(
      /no access decision: GET \/forgotten\/list \(ForgottenController\.list\)/,
    );
    await vi.waitFor(async () => expect(await connectionsTo(database)).toEqual([]), { timeout: 10_000 });
  });

  it('with another HTTP adapter does not start, and is told which one it needs', async () => {
    await expect(start(database, { adapter: new FastifyAdapter() })).rejects.toThrow('createHttpAdapter');
  });
});

describe('two applications in one process', () => {
  it('share nothing, and closing one releases what it had and leaves the other', async () => {
    const [closed, open] = await Promise.all([
      createTestDatabase({ sql: SQL }),
      createTestDatabase({ sql: SQL }),
    ]);
    const [first, second] = await Promise.all([start(closed), start(open)]);
    await first.ask('POST', '/members', { name: 'Only first' });
    expect((await first.ask('GET', '/members')).body).toHaveLength(1);
    expect((await second.ask('GET', '/members')).body).toHaveLength(0);
    // A key of one is unknown to the other.
    expect((await second.ask('GET', '/system/roles', undefined, first.key)).status).toBe(401);
    expect((await second.ask('GET', '/system/roles')).status).toBe(200);
    await first.app.close();
    expect((await second.ask('POST', '/members', { name: 'Still there' })).status).toBe(201);
    expect((await second.ask('GET', '/api/posts')).status).toBe(200);
    await vi.waitFor(async () => expect(await connectionsTo(closed)).toEqual([]), { timeout: 10_000 });
    expect(await connectionsTo(open)).toEqual(expect.arrayContaining(['host', 'plinth']));
    await second.app.close();
    await closed.drop();
    await open.drop();
  });
});

describe('app.close()', () => {
  beforeAll(ensureBuilt, BUILD_TIMEOUT_MS);

  it(
    'releases everything, so that a process with nothing else to do ends by itself',
    { timeout: 120_000 },
    async () => {
      const database = await createTestDatabase({ sql: SQL });
      const script = join(import.meta.dirname, 'embedding/start-and-close.mjs');
      const plinth = pathToFileURL(join(REPOSITORY, 'dist/index.js')).href;
      const child = spawn(process.execPath, [script, plinth], {
        env: { PATH: process.env['PATH'], DATABASE_URL: database.url, PORT: '0' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let stdout = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
      expect(await once(child, 'close')).toEqual([0, null]);
      expect(stdout).toBe('{"status":"ready","database":"up"}\n');
      expect(await connectionsTo(database)).toEqual([]);
      await database.drop();
    },
  );
});
