import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { hasChinook, startChinookApp } from '../kit/chinook.js';
import { HOSTILE_SCHEMA } from '../kit/hostile-schema.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const LINT_TIMEOUT_MS = 120_000;

/** Where a package's command is; the packages do not export it. */
async function findCommand(name: string, command: string): Promise<string> {
  const manifest = (await findManifest(name)) as { file: string; bin: Record<string, string> };
  const script = manifest.bin[command];
  if (script === undefined) throw new Error(`${name} has no command ${command}`);
  return path.join(path.dirname(manifest.file), script);
}

async function findManifest(name: string): Promise<{ file: string }> {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = path.join(folder, name, 'package.json');
    try {
      return { ...(require(file) as object), file };
    } catch {
      // Not in this folder; the next one is further up.
    }
  }
  throw new Error(`${name} is not installed`);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'plinth-openapi-'));
  // Every rule of both linters' own recommendations is on; what one of them cannot know is excepted by operation.
  await writeFile(path.join(folder, '.spectral.json'), JSON.stringify({ extends: ['spectral:oas'] }));
  await writeFile(path.join(folder, 'redocly.yaml'), 'extends:\n  - recommended\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the two linters say of a document, warnings too. */
async function lint(document: string): Promise<{ redocly: unknown; spectral: unknown }> {
  const file = path.join(folder, 'openapi.json');
  const spectralFile = path.join(folder, 'openapi-spectral.json');
  await writeFile(file, document);
  await writeFile(spectralFile, spellPaths(document));
  const [redocly, spectral] = await Promise.all([
    runLinter('@redocly/cli', 'redocly', ['lint', '--format=json', '--config=redocly.yaml', file]),
    runLinter('@stoplight/spectral-cli', 'spectral', [
      'lint',
      '--format=json',
      '--quiet',
      '--ruleset=.spectral.json',
      '--fail-severity=hint',
      spectralFile,
    ]),
  ]);
  const { problems } = JSON.parse(redocly) as { problems: RedoclyProblem[] };
  return {
    redocly: problems
      .filter((problem) => !isRedirect(problem))
      .map(({ ruleId, message }) => `${ruleId}: ${message}`),
    spectral: JSON.parse(spectral),
  };
}

interface RedoclyProblem {
  readonly ruleId: string;
  readonly message: string;
  readonly location: readonly { readonly pointer: string }[];
}

/** Operations that do nothing but lead a browser on: that an answer with 302 is one, the linter does not know. */
const REDIRECTS: ReadonlySet<string> = new Set([
  '#/paths/~1auth~1oidc~1{provider}/get/responses',
  '#/paths/~1auth~1oidc~1{provider}~1callback/get/responses',
]);

const isRedirect = ({ ruleId, location: [place] }: RedoclyProblem): boolean =>
  ruleId === 'operation-2xx-response' && place !== undefined && REDIRECTS.has(place.pointer);

/**
 * Spectral decodes the keys of paths before it looks them up, finds nothing under `/api/größe` where the document has
 * `/api/gr%C3%B6%C3%9Fe`, and says that everything is missing. It is given another escape character instead.
 */
function spellPaths(document: string): string {
  const parsed = JSON.parse(document) as { paths: Record<string, unknown> };
  const paths = Object.entries(parsed.paths).map(([key, item]) => [key.replaceAll('%', '='), item]);
  return JSON.stringify({ ...parsed, paths: Object.fromEntries(paths) as unknown });
}

/** The JSON that a linter prints; it exits with an error where it finds something. */
async function runLinter(name: string, command: string, words: readonly string[]): Promise<string> {
  const script = await findCommand(name, command);
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const options = { cwd: folder, env, maxBuffer: 64 * 1024 ** 2 };
  const output = await run(process.execPath, [script, ...words], options).catch(
    (error: { stdout?: string; stderr?: string }) => {
      if (!error.stdout) throw error;
      return { stdout: error.stdout };
    },
  );
  return output.stdout.slice(output.stdout.search(/[[{]/));
}

const CLEAN = { redocly: [], spectral: [] };

async function documentOf(app: TestApp, key?: string): Promise<string> {
  const { status, text } = await app.request('GET', '/openapi.json', { key });
  expect(status).toBe(200);
  return text;
}

describe('two common linters find nothing to say of the document', () => {
  it(
    'of hostile names, for an administrator, for a reader and for the public',
    async () => {
      const app = await startTestApp({ sql: HOSTILE_SCHEMA });
      try {
        const reader = await app.keyFor('reader', [
          { collection: 'select', action: 'read', fields: ['from', 'a.b'] },
          { collection: 'SELECT', action: 'create' },
        ]);
        for (const key of [app.adminKey, reader, undefined]) {
          expect(await lint(await documentOf(app, key))).toEqual(CLEAN);
        }
      } finally {
        await app.close();
      }
    },
    LINT_TIMEOUT_MS,
  );

  it.skipIf(!hasChinook)(
    'of a database that was there first',
    async () => {
      const app = await startChinookApp();
      try {
        expect(await lint(await documentOf(app, app.adminKey))).toEqual(CLEAN);
      } finally {
        await app.close();
      }
    },
    LINT_TIMEOUT_MS,
  );

  it('and do find what is wrong', async () => {
    const findings = await lint(
      JSON.stringify({ openapi: '3.1.0', info: { title: 'x', version: '1' }, paths: {} }),
    );
    expect(findings.redocly).not.toEqual([]);
    expect(findings.spectral).not.toEqual([]);
  });
});
