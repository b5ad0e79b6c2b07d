import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { AppModule } from '../../src/app.module.js';
import { ApiKeysService } from '../../src/access/index.js';
import { parseConfig, type PlinthConfig } from '../../src/common/config/index.js';
import { createLogger } from '../../src/common/observability/index.js';
import { startServer, type RunningServer } from '../../src/server.js';
import { createContractCheck } from './contract.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { migratedTemplate } from './migrated-template.js';

export interface RequestOptions {
  /** An API key; none asks as the public. */
  readonly key?: string | null;
  /** A value that is sent as JSON, or a text that is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; undefined when the answer is empty or not JSON. */
  // Tests look into answers of every shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly text: string;
}

export interface TestApp {
  readonly url: string;
  /** A key with the role `admin`. */
  readonly adminKey: string;
  readonly database: TestDatabase;
  readonly server: RunningServer;
  request(method: string, path: string, options?: RequestOptions): Promise<TestResponse>;
  /** A request with the admin key. */
  admin(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<TestResponse>;
  /** Makes a role with policies and gives a key that has it. */
  keyFor(role: string, policies: readonly object[], claims?: object): Promise<string>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** Run in the fresh database before the server starts. */
  readonly sql?: string;
  /** An existing database instead of a fresh one; it is left as it is afterwards. */
  readonly database?: TestDatabase;
  readonly config?: Partial<PlinthConfig>;
  /** Modules beside Plinth's own, as a host application has them. */
  readonly imports?: readonly Type[];
  /** Gets every log line, parsed. */
  readonly log?: (line: LogLine) => void;
}

/** A line of the log, as it was written. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A whole server on a database of its own, spoken to over real HTTP. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database =
    options.database ?? (await createTestDatabase({ sql: options.sql, template: await migratedTemplate() }));
  const config = parseConfig(
    {
      DATABASE_URL: database.url,
      PORT: '0',
      PLINTH_LOG_LEVEL: process.env['PLINTH_TEST_LOG'] ?? 'fatal',
      // All that tests try comes from one address.
      PLINTH_RATE_LIMIT_CREDENTIALS: 'off',
      PLINTH_SECRET: 'a secret that all test servers share',
      // Tests that count statements must not meet those of workers; tests of jobs switch them on.
      PLINTH_JOB_CONCURRENCY: '0',
      // The tests themselves keep process and machine busy.
      PLINTH_MAX_EVENT_LOOP_DELAY: '0',
      PLINTH_QUEUE_WAIT: '60000',
      // What tests have asked is answered when they close the server.
      PLINTH_CLOSE_GRACE: '0',
    },
    options.config,
  );
  const { log } = options;
  const logger = log
    ? createLogger(
        { logLevel: config.logLevel, logFormat: 'json' },
        { write: (line) => log(JSON.parse(line) as LogLine) },
      )
    : createLogger(config);
  const plinth = AppModule.forRoot({ config, logger });
  const root = { ...plinth, imports: [...(plinth.imports ?? []), ...(options.imports ?? [])] };
  const server = await startServer(root, config, logger);
  const { key: adminKey } = await server.app
    .get(ApiKeysService)
    .create({ name: 'test admin', roles: ['admin'] });

  const checkContract = createContractCheck(server.url);

  const request = async (
    method: string,
    path: string,
    request: RequestOptions = {},
  ): Promise<TestResponse> => {
    const headers = new Headers(request.headers);
    if (request.key) headers.set('authorization', `Bearer ${request.key}`);
    let body: string | undefined;
    if (request.body !== undefined) {
      body = typeof request.body === 'string' ? request.body : JSON.stringify(request.body);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    }
    const response = await fetch(server.url + path, { method, headers, body, redirect: 'manual' });
    const text = await response.text();
    await checkContract({
      method,
      path,
      requestHeaders: headers,
      requestBody: body,
      status: response.status,
      headers: response.headers,
      text,
    });
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
    };
  };
  const admin: TestApp['admin'] = (method, path, body, headers) =>
    request(method, path, { key: adminKey, body, headers });

  return {
    url: server.url,
    adminKey,
    database,
    server,
    request,
    admin,
    async keyFor(role, policies, claims) {
      await expectStatus(admin('POST', '/system/roles', { name: role }), 201);
      for (const policy of policies)
        await expectStatus(admin('POST', '/system/policies', { role, ...policy }), 201);
      const made = await expectStatus(
        admin('POST', '/system/keys', { name: role, roles: [role], ...(claims ? { claims } : {}) }),
        201,
      );
      return (made.body as { key: string }).key;
    },
    async close() {
      await server.close();
      if (!options.database) await database.drop();
    },
  };
}

async function expectStatus(pending: Promise<TestResponse>, status: number): Promise<TestResponse> {
  const response = await pending;
  if (response.status !== status)
    throw new Error(`Expected ${status}, got ${response.status}: ${response.text}`);
  return response;
}
