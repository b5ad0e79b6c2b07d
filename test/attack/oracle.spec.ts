import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { AccessService } from '../../src/access/index.js';
import type { AccessView, ReadRule } from '../../libs/query/src/access.js';
import { startTestApp, type TestApp, type TestResponse } from '../kit/app.js';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { isLongRun, tellFigures } from '../kit/long-run.js';
import { observeAnswer } from '../kit/observe-answer.js';
import { countStatements, type CountedDatabase } from '../kit/statement-counter.js';
import { attackerKey } from './attack-world.js';
import { readWork } from './compare-work.js';
import type { Ask, Question } from './oracle-question.js';
import { READS } from './oracle-reads.js';
import { ORACLE_POLICIES, oracleWorldSql } from './oracle-world.js';
import { WRITES } from './oracle-writes.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

interface World {
  readonly app: TestApp;
  readonly database: TestDatabase;
  readonly counted: CountedDatabase;
  readonly reader: string;
}

async function openWorld(salt: string, key?: string): Promise<World> {
  const database = await createTestDatabase({ sql: oracleWorldSql(salt) });
  const counted = await countStatements(database);
  const app = await startTestApp({ database: counted.database });
  const reader = key ?? (await attackerKey(app, ORACLE_POLICIES));
  return { app, database, counted, reader };
}

let near: World;
let far: World;
beforeAll(async () => {
  [near, far] = [await openWorld('one'), await openWorld('two')];
});
afterAll(async () => {
  for (const world of [near, far]) {
    await world?.app.close();
    await world?.counted.close();
    await world?.database.drop();
  }
});

const nameOf = ({ channel, name }: Question): string => `${channel}: ${name}`;

/** Asks a question step by step; gives all that a caller could tell anything by. */
async function ask({ app }: World, key: string, { steps }: Question): Promise<readonly TestResponse[]> {
  const answers: TestResponse[] = [];
  let before: TestResponse | undefined;
  for (const step of steps) {
    if (typeof step === 'function' && before === undefined) break;
    const {
      method,
      path,
      query = {},
      body,
      headers,
    } = typeof step === 'function' ? step(before as TestResponse) : step;
    const search = new URLSearchParams(query).toString();
    before = await send(
      app,
      { method, path: search === '' ? path : `${path}?${search}`, body, headers },
      key,
    );
    answers.push(before);
  }
  return answers;
}

/** Without the look into the contract that `app.request` takes: it is the answers of two servers that count here. */
async function send(app: TestApp, { method, path, body, headers }: Ask, key: string): Promise<TestResponse> {
  const response = await fetch(app.url + path, {
    method,
    headers: {
      'x-api-key': key,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
  };
}

const observe = (answers: readonly TestResponse[], { app }: World): string =>
  JSON.stringify(answers.map((answer) => observeAnswer(answer, app.url)));

interface Verdict {
  /** Questions whose answers differ, although nothing does that the caller may see. */
  readonly telling: readonly string[];
  /** Those that were refused as what no request can be. */
  readonly refused: readonly string[];
}

async function interrogate(
  questions: readonly Question[],
  keys: readonly [string, string],
): Promise<Verdict> {
  const telling: string[] = [];
  const refused: string[] = [];
  for (const question of questions) {
    const [one, two] = [await ask(near, keys[0], question), await ask(far, keys[1], question)];
    if (observe(one, near) !== observe(two, far)) telling.push(nameOf(question));
    if (one.some(({ status }) => status === 400)) refused.push(nameOf(question));
  }
  return { telling, refused };
}

/** All of them in a long run; otherwise some, of every channel. */
const isSampled = ({ channel }: Question, index: number): boolean =>
  isLongRun || index % 5 === 0 || channel === 'count' || channel === 'embed' || channel === 'search';

const readers = (): readonly [string, string] => [near.reader, far.reader];
const admins = (): readonly [string, string] => [near.app.adminKey, far.app.adminKey];

describe('two databases that differ only in what is hidden', () => {
  it('are asked in at least 200 ways that differ', () => {
    const names = [...READS, ...WRITES].map(nameOf);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(names.length).toBeGreaterThan(250);
    const channels = new Set([...READS, ...WRITES].map(({ channel }) => channel));
    expect(channels.size).toBeGreaterThan(20);
  });

  it('give a reader the same answers, byte by byte, to every question', async () => {
    const sampled = READS.filter(isSampled);
    const told = await interrogate(sampled, admins());
    const asked = await interrogate(READS, readers());
    expect(asked.telling).toEqual([]);
    // The questions mean something: they are answered, and an administrator, who may see it all, is told.
    expect(READS.length - asked.refused.length).toBeGreaterThan(200);
    expect(told.telling.length).toBeGreaterThan(sampled.length * 0.6);
    tellFigures('Oracle', {
      'ways to ask by reading': READS.length,
      'ways to ask by writing': WRITES.length,
      'that tell the reader anything': 0,
      'that tell an administrator': `${told.telling.length} of ${sampled.length}`,
    });
  });

  it('are found to be told apart where a planted flaw forgets to hide fields', async () => {
    const flaws = [near, far].map(({ app }) => plantFlaw(app));
    onTestFinished(() => flaws.forEach((flaw) => flaw.mockRestore()));
    const { telling } = await interrogate(READS.filter(isSampled), readers());
    const channels = new Set(telling.map((name) => name.split(':')[0]));
    const reading = new Set(READS.map(({ channel }) => channel));
    reading.delete('error text');
    expect([...reading].filter((channel) => !channels.has(channel))).toEqual([]);
  });

  it('make PostgreSQL do the same work for a reader, so that time tells nothing', async () => {
    // How many rows there are that nobody sees takes its time to find out; here it is what they hold that counts.
    for (const { database } of [near, far]) {
      await database.query('DELETE FROM posts WHERE id > 1000; DELETE FROM comments WHERE id > 1000');
      await database.query('VACUUM posts, comments');
    }
    const different: string[] = [];
    let compared = 0;
    const questions = READS.filter(({ channel }) => channel !== 'error text').filter(isSampled);
    for (const question of questions) {
      const seen = await near.counted.record(() => ask(near, near.reader, question));
      const other = await far.counted.record(() => ask(far, far.reader, question));
      expect(other.map(({ text }) => text)).toEqual(seen.map(({ text }) => text));
      const [statement, twin] = [seen[0], other[0]];
      if (statement === undefined || twin === undefined) continue;
      compared += 1;
      if ((await readWork(near.database, statement)) !== (await readWork(far.database, twin)))
        different.push(nameOf(question));
    }
    expect(different).toEqual([]);
    expect(compared).toBeGreaterThan(questions.length * 0.9);
  });

  it('give a reader who writes the same answers, too', async () => {
    const { telling, refused } = await interrogate(WRITES, readers());
    expect(telling).toEqual([]);
    expect(WRITES.length - refused.length).toBeGreaterThan(60);
  });
});

/** A server that takes every field of a row for visible once the row is. */
function plantFlaw(app: TestApp) {
  const access = app.server.app.get(AccessService);
  const viewFor = access.viewFor.bind(access);
  return vi.spyOn(access, 'viewFor').mockImplementation((roles): AccessView => {
    const view = viewFor(roles);
    return {
      key: `flaw ${view.key}`,
      collection: (name) => {
        const rules = view.collection(name);
        if (rules === undefined) return undefined;
        const fields = new Set(rules.read.flatMap((rule) => (rule.fields === '*' ? [] : [...rule.fields])));
        const open = (rule: ReadRule): ReadRule => ({ ...rule, condition: null, fields });
        return { ...rules, read: rules.read.map(open) };
      },
    };
  });
}
