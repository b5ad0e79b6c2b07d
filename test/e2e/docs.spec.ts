import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { DEFAULT_EXPRESSION_LIMITS } from '@plinth/expression';
import { DEFAULT_QUERY_LIMITS } from '@plinth/query';
import { parser as promQl } from '@prometheus-io/lezer-promql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { format } from 'prettier';
import { parse as parseYaml } from 'yaml';
import { run } from '../../src/cli.js';
import { parseConfig } from '../../src/common/config/index.js';
import { PAGE_LAYOUT, renderConfigurationPage } from '../../src/common/config/configuration-page.js';
import { SETTING_TOPICS, SETTINGS } from '../../src/common/config/settings.js';
import { PROBLEMS } from '../../src/common/errors/index.js';
import { LOG_LINES } from '../../src/common/observability/logs/log-lines.js';
import { REQUEST_LINES } from '../../src/common/observability/logs/request-log.js';
import { METRICS, type MetricDefinition } from '../../src/common/observability/metrics/metric-definitions.js';
import { createLogger } from '../../src/common/observability/index.js';
import { openDemo } from '../../src/demo/index.js';
import type { RunningServer } from '../../src/server.js';
import { createContractCheck } from '../kit/contract.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import {
  compareHead,
  compareJson,
  compareLines,
  expandVariables,
  MarkdownPage,
  parseCurl,
  unquoteCode,
  type CodeBlock,
  type ShellExample,
} from '../kit/markdown-examples.js';
import { newRoleName } from '../kit/role-name.js';
import { codeOf } from '../kit/second-factors.js';
import { start } from './docs-embedding/start.js';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** What belongs to one page: a fresh sample database with a server on it, and the reader's variables. */
interface Demo {
  readonly server: RunningServer;
  readonly database: TestDatabase;
  readonly variables: Map<string, string>;
  readonly checkContract: ReturnType<typeof createContractCheck>;
}

interface Answer {
  readonly status: number;
  readonly body: {
    readonly type?: string;
    readonly page?: { readonly total?: number };
    readonly errors?: readonly { readonly code: string }[];
  };
}

async function startDemo(): Promise<Demo> {
  const database = await createTestDatabase();
  const config = parseConfig({
    DATABASE_URL: database.url,
    PORT: '0',
    PLINTH_LOG_LEVEL: 'fatal',
    PLINTH_MAX_EVENT_LOOP_DELAY: '0',
    PLINTH_SECRET: 'a secret that all test servers share',
    PLINTH_PUBLIC_URL: 'http://localhost:3000',
    PLINTH_ANONYMOUS: 'true',
    PLINTH_RETURN_URLS: 'https://app.example.com',
    PLINTH_OIDC_PROVIDERS: 'github',
    PLINTH_OIDC_GITHUB_LABEL: 'GitHub',
    PLINTH_OIDC_GITHUB_CLIENT_ID: 'Iv1.8a61f9b3a7aba766',
    PLINTH_OIDC_GITHUB_AUTHORIZATION_URL: 'https://github.com/login/oauth/authorize',
    PLINTH_OIDC_GITHUB_TOKEN_URL: 'https://github.com/login/oauth/access_token',
    PLINTH_OIDC_GITHUB_USERINFO_URL: 'https://api.github.com/user',
  });
  const { server, keys } = await openDemo(config, createLogger(config));
  const variables = new Map([
    ['PLINTH', server.url],
    ...Object.entries(keys).map(([actor, key]) => [`${actor.toUpperCase()}_KEY`, key] as const),
  ]);
  return { server, database, variables, checkContract: createContractCheck(server.url) };
}

async function stopDemo(demo: Demo | undefined): Promise<void> {
  await demo?.server.close();
  await demo?.database.drop();
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Starts processes that go on, installs packages, or sets the reader's variables; that the scripts exist is checked. */
const NOT_RUN =
  /^(npm (ci|start|test)|npm run (demo|dev|check|build)|export [A-Z_]+=.*|git clone .*|cd \S+)$/;

/** What the reader's authenticator app shows. Each code is good once, so each example that has one has the next. */
function lookAtApp(variables: Map<string, string>): void {
  const step = Number(variables.get('TOTP_STEP') ?? -1);
  variables.set('TOTP_STEP', String(step + 1));
  variables.set('TOTP_CODE', codeOf(variables.get('TOTP_SECRET') ?? '', step));
}

async function runExample(example: ShellExample, demo: Demo): Promise<void> {
  if (example.command.some((word) => word.includes('TOTP_CODE'))) lookAtApp(demo.variables);
  const words = example.command.map((word) => expandVariables(word, demo.variables));
  const text = words.join(' ');
  if (words[0] === 'curl') return runRequest(words, example.answers, demo);
  if (/^npm run (-s )?plinth -- /.test(text)) {
    return runCommand(words.slice(words.indexOf('--') + 1), example, demo.database.url);
  }
  expect(text).toMatch(NOT_RUN);
  const script = /^npm (?:run )?(start|test|demo|dev|check|build)$/.exec(text)?.[1] ?? 'start';
  expect(read('package.json')).toContain(`"${script}": "`);
  expect(example.answers).toEqual([]);
}

async function runRequest(
  words: readonly string[],
  answers: readonly CodeBlock[],
  { variables, checkContract, server }: Demo,
): Promise<void> {
  const { url, method, headers, body } = parseCurl(words);
  const response = await fetch(url, { method, headers, body, redirect: 'manual' });
  const text = await response.text();
  await checkContract({
    method,
    path: url.slice(server.url.length),
    requestHeaders: new Headers(headers),
    requestBody: body,
    status: response.status,
    headers: response.headers,
    text,
  });
  const faults = answers.flatMap(({ language, text: shown }) => {
    if (language === 'http') return compareHead(shown, response.status, response.headers, variables);
    if (language === 'text') return compareLines(shown, text);
    return compareJson(JSON.parse(shown), text === '' ? null : JSON.parse(text), variables);
  });
  // Where no status is shown, the request succeeds, unless a problem is what is shown.
  const isProblem = answers.some(({ text: shown }) => shown.includes('"/problems/'));
  const isStatusShown = answers.some(({ language }) => language === 'http');
  if (!isStatusShown && response.ok === isProblem) faults.push(`the status is ${response.status}`);
  if (faults.length > 0) throw new Error([`${method} ${url}`, ...faults, text].join('\n'));
}

/** Runs `plinth ...` in this process, in an environment where only the database is set. */
async function runCommand(
  words: readonly string[],
  { environment, answers }: Pick<ShellExample, 'environment' | 'answers'>,
  databaseUrl: string,
): Promise<void> {
  for (const { variable } of Object.values(SETTINGS)) vi.stubEnv(variable, '');
  vi.stubEnv('DATABASE_URL', databaseUrl);
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  let printed = '';
  const collect = (text: unknown): boolean => {
    printed += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(collect);
  vi.spyOn(process.stderr, 'write').mockImplementation(collect);
  const { exitCode } = process;
  try {
    await run(words);
  } finally {
    process.exitCode = exitCode;
    vi.restoreAllMocks();
  }
  expect(answers.flatMap(({ text }) => compareLines(text, printed))).toEqual([]);
}

const summaryOf = ({ command }: ShellExample): string =>
  command.slice(0, 6).join(' ').replaceAll('\u0001', '$').slice(0, 80);

const withExamples = [
  'README.md',
  'docs/api.md',
  'docs/expressions.md',
  'docs/access.md',
  'docs/auth.md',
  'docs/observability.md',
  'docs/security.md',
];

describe.each(withExamples)('%s', (path) => {
  const page = new MarkdownPage(join(ROOT, path));
  let demo: Demo;
  beforeAll(async () => {
    demo = await startDemo();
  });
  afterAll(() => stopDemo(demo));

  for (const example of page.shellExamples()) {
    it(`line ${example.line}: ${summaryOf(example)}`, () => runExample(example, demo));
  }

  const ask = async (collection: string, filter: string): Promise<Answer> => {
    const query = new URLSearchParams({ filter, count: 'exact', limit: '1' });
    const response = await fetch(`${demo.server.url}/api/${collection}?${query.toString()}`, {
      headers: { 'x-api-key': demo.variables.get('ADMIN_KEY') ?? '' },
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  };
  for (const { cells, line } of page.tableRows('on', 'expression', 'records', 'meaning')) {
    const filter = unquoteCode(cells['expression'] ?? '');
    it(`line ${line}: ${filter} finds ${cells['records']} ${cells['on']}`, async () => {
      const { status, body } = await ask(cells['on'] ?? '', filter);
      expect([status, body.errors, body.page?.total]).toEqual([200, undefined, Number(cells['records'])]);
    });
  }
  for (const { cells, line } of page.tableRows('on', 'refused', 'code', 'why')) {
    const filter = unquoteCode(cells['refused'] ?? '');
    it(`line ${line}: ${filter} is refused`, async () => {
      const { status, body } = await ask(cells['on'] ?? '', filter);
      const code = unquoteCode(cells['code'] ?? '');
      const type = code === 'unknown-name' ? '/problems/unknown-field' : '/problems/invalid-filter';
      expect([status, body.type, body.errors?.[0]?.code]).toEqual([400, type, code]);
    });
  }
});

describe('docs/embedding.md', () => {
  const page = new MarkdownPage(join(ROOT, 'docs/embedding.md'));
  let demo: Demo;
  let app: INestApplication;
  beforeAll(async () => {
    demo = await startDemo();
    vi.stubEnv('DATABASE_URL', demo.database.url);
    vi.stubEnv('PORT', '0');
    vi.stubEnv('PLINTH_LOG_LEVEL', 'fatal');
    app = await start();
    demo.variables.set('APP', await app.getUrl());
  });
  afterAll(async () => {
    await app?.close();
    await stopDemo(demo);
  });

  it('shows the code of the application that is tested here', () => {
    const shown = page.blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
    const names = [
      'shop.module.ts',
      'shop.controller.ts',
      'visits.controller.ts',
      'visit.entity.ts',
      'start.ts',
    ];
    const files = names.map((name) =>
      read(`test/e2e/docs-embedding/${name}`).replaceAll("'../../../src/index.js'", "'plinth'").trimEnd(),
    );
    for (const file of files) expect(shown).toContain(file);
  });
  for (const example of page.shellExamples()) {
    it(`line ${example.line}: ${summaryOf(example)}`, () =>
      runExample(example, { ...demo, checkContract: () => Promise.resolve() }));
  }
});

describe('docs/observability.md', () => {
  const page = new MarkdownPage(join(ROOT, 'docs/observability.md'));

  it('has every metric, with its type, labels and meaning', () => {
    const rows = page.tableRows('metric', 'type', 'labels', 'meaning');
    expect(rows.map(({ cells }) => cells)).toEqual(
      Object.entries(METRICS).map(([name, { type, labels, help }]) => ({
        metric: `\`${name}\``,
        type,
        labels: labels.map((label) => `\`${label}\``).join(', '),
        meaning: help,
      })),
    );
  });

  it('has every event of the log, with its level and message', () => {
    const rows = page.tableRows('event', 'level', 'message');
    expect(rows.map(({ cells }) => cells)).toEqual(
      Object.entries({ ...LOG_LINES, ...REQUEST_LINES }).map(([event, { level, message }]) => ({
        event: `\`${event}\``,
        level,
        message,
      })),
    );
  });

  it('shows configurations whose every expression is one, over metrics and labels that there are', () => {
    const documents = page.blocks
      .filter(({ language }) => language === 'yaml')
      .map(({ text }) => parseYaml(text));
    const rules = (documents[1] as AlertRules).groups.flatMap((group) => group.rules);
    expect(documents[0]).toHaveProperty('scrape_configs');
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, expr } of rules) expect([alert, ...faultsOf(expr)]).toEqual([alert]);
  });

  it('shows the code that is tested here', () => {
    const shown = page.blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
    const files = ['report-failures.ts', 'call-service.ts'].map((name) =>
      read(`test/e2e/docs-observability/${name}`).replaceAll("'../../../src/index.js'", "'plinth'").trimEnd(),
    );
    expect(shown).toEqual(files);
  });
});

interface AlertRules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

/** What a scraper adds, and the one metric of its own that the rules use. */
const OF_PROMETHEUS = new Set(['up', 'job', 'le']);

/** What is wrong with a PromQL expression. */
function faultsOf(expression: string): readonly string[] {
  const faults: string[] = [];
  const definitions = new Map<string, MetricDefinition>(Object.entries(METRICS));
  const labels = new Set(Object.values(METRICS).flatMap((metric): readonly string[] => metric.labels));
  promQl.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      const text = expression.slice(from, to);
      if (type.isError) faults.push(`a mistake at ${from}: ${text}`);
      if (OF_PROMETHEUS.has(text)) return;
      const metric = definitions.get(text.replace(/_(bucket|sum|count)$/, ''));
      const isHistogram = metric?.type === 'histogram';
      if (type.name === 'Identifier' && (!metric || isHistogram !== !definitions.has(text))) {
        faults.push(`no metric ${text}`);
      }
      if (type.name === 'LabelName' && !labels.has(text)) faults.push(`no label ${text}`);
    },
  });
  return faults;
}

describe('docs/database.md', () => {
  const page = new MarkdownPage(join(ROOT, 'docs/database.md'));
  // Roles belong to the whole server, which other tests share.
  const role = newRoleName();
  let database: TestDatabase;
  let url: string;
  beforeAll(async () => {
    database = await createTestDatabase({
      sql: `CREATE TABLE customers (id int PRIMARY KEY, name text); CREATE TABLE orders (id int PRIMARY KEY);`,
    });
    const address = new URL(database.url);
    [address.username, address.password] = [role, 'secret'];
    url = address.toString();
  });
  afterAll(async () => {
    await database.pool.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`).catch(() => {});
    await database.drop();
  });

  it('makes a role with the grants that Plinth needs, as `plinth doctor` says', async () => {
    for (const { language, text } of page.blocks) {
      if (language !== 'sql') continue;
      await database.query(
        text.replaceAll('shop_api', role).replaceAll('DATABASE shop', `DATABASE "${database.name}"`),
      );
    }
    const grants = page.shellExamples().find(({ command }) => command.includes('grants'));
    await runCommand(
      ['database', 'grants', '--role', 'shop_api'],
      { environment: {}, answers: grants?.answers ?? [] },
      url,
    );
    await database.query((grants?.answers[0]?.text ?? '').replaceAll('shop_api', role));
    const example = page.shellExamples().find(({ command }) => command.includes('doctor'));
    const [answer] = example?.answers ?? [];
    // The port of the page may be taken where the tests run.
    const text = (answer?.text ?? '')
      .replaceAll('shop_api', role)
      .replace('the port 3000 of 127.0.0.1 is free', 'a free port of 127.0.0.1 will be taken');
    const answers = [{ language: 'text', text, line: 0 }];
    await runCommand(['doctor'], { environment: { PORT: '0' }, answers }, url);
  });
});

describe('docs/deployment.md', () => {
  const page = new MarkdownPage(join(ROOT, 'docs/deployment.md'));

  for (const example of page.shellExamples()) {
    it(`line ${example.line}: ${summaryOf(example)}`, () =>
      runCommand(example.command.slice(example.command.indexOf('--') + 1), example, ''));
  }

  it('names files of the repository, and commands of `plinth`, that there are', async () => {
    const commands = page.blocks.filter(({ language }) => language === 'console').map(({ text }) => text);
    const text = commands.join('\n');
    const files = [...text.matchAll(/(?<= )(deploy\/\S+|scripts\/\S+)/g)].map(([path]) => path);
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    for (const [, command = ''] of text.matchAll(/dist\/cli\.js (\w+(?: \w+)?)/g)) {
      await runCommand([...command.split(' '), '--help'], { environment: {}, answers: [] }, '');
      expect(process.exitCode).toBeFalsy();
    }
  });
});

describe('the pages', () => {
  const documents = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const pages = ['README.md', 'CHANGELOG.md', ...documents.map((name) => `docs/${name}`)];

  it.each([...pages, 'CONTRIBUTING.md', 'ARCHITECTURE.md'])('%s links only to what is there', (path) => {
    const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !headingsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it.each(pages)('%s is wrapped at 120 columns, tables and code apart', (path) => {
    const text = read(path).replaceAll(/^```[\s\S]*?^```$/gm, '');
    const long = text.split('\n').filter((line) => line.length > 120 && !line.startsWith('|'));
    expect(long).toEqual([]);
  });

  it('has the configuration page as `npm run docs:configuration` makes it', async () => {
    const page = await format(renderConfigurationPage(SETTING_TOPICS), PAGE_LAYOUT);
    expect(read('docs/configuration.md')).toBe(page);
  });

  it('has settings in the README with their default and their meaning', () => {
    const rows = new MarkdownPage(join(ROOT, 'README.md')).tableRows('variable', 'default', 'meaning');
    const all = new Map(Object.values(SETTINGS).map((setting) => [`\`${setting.variable}\``, setting]));
    expect(rows.length).toBeGreaterThan(10);
    for (const { cells } of rows) {
      const { defaultText, defaultValue, description } = all.get(cells['variable'] ?? '') ?? {};
      expect(cells).toMatchObject({
        default: defaultText ?? `\`${String(defaultValue)}\``,
        meaning: description,
      });
    }
  });

  it('has every problem in the description of the API, with its status and title', () => {
    const rows = new MarkdownPage(join(ROOT, 'docs/api.md')).tableRows('type', 'status', 'title');
    expect(rows.map(({ cells }) => cells)).toEqual(
      Object.entries(PROBLEMS).map(([type, { status, title }]) => ({
        type: `\`/problems/${type}\``,
        status: String(status),
        title,
      })),
    );
  });

  it.each([
    ['docs/api.md', DEFAULT_QUERY_LIMITS],
    ['docs/expressions.md', DEFAULT_EXPRESSION_LIMITS],
  ])('has the limits in %s as they are', (path, limits) => {
    const rows = new MarkdownPage(join(ROOT, path)).tableRows('limit', 'value');
    const shown = rows.map(({ cells }) => Number((cells['value'] ?? '').replaceAll(',', '')));
    const numbers = Object.values(limits).filter((value) => typeof value === 'number');
    expect(shown.slice(0, numbers.length)).toEqual(numbers);
  });
});

/** Anchors of a page's headings, as GitHub makes them. */
const headingsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
