import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestApp, type TestApp } from './app.js';
import { createTestDatabase } from './database.js';

const DEFAULT_PATH = '../shared/data/chinook/chinook.sql';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = path.resolve(root, process.env['PLINTH_CHINOOK_SQL'] || DEFAULT_PATH);

/** Whether the script of the Chinook sample database is on this machine; it is not part of the repository. */
export const hasChinook = existsSync(file);

if (!hasChinook) {
  console.warn(`SKIPPED: the Chinook tests need ${file}; PLINTH_CHINOOK_SQL may name another place.`);
}

/** A server on a Chinook database that was there first: made by its own script, without Plinth. */
export async function startChinookApp(): Promise<TestApp> {
  const database = await createTestDatabase({ sql: readFileSync(file, 'utf8') });
  try {
    const app = await startTestApp({ database });
    return {
      ...app,
      async close() {
        await app.close();
        await database.drop();
      },
    };
  } catch (error) {
    await database.drop();
    throw error;
  }
}

/** What SQL says, as the API's wire types: `query` gives rows, the answer is them as JSON. */
export async function sqlRows(app: TestApp, query: string): Promise<readonly Record<string, unknown>[]> {
  const [row] = await app.database.query<{ rows: Record<string, unknown>[] }>(
    `SELECT coalesce(json_agg(r), '[]') AS rows FROM (${query}) r`,
  );
  return row?.rows ?? [];
}

export interface PagesOptions {
  readonly key?: string;
  /** Called after each page but the last, before the next one is asked for. */
  readonly between?: (pageNumber: number) => Promise<void>;
}

/** All records behind a list address, page after page as `page.next` leads, and the number of pages. */
export async function readPages(
  app: TestApp,
  collection: string,
  parameters: Readonly<Record<string, string>>,
  { key = app.adminKey, between }: PagesOptions = {},
): Promise<{ readonly records: readonly Record<string, unknown>[]; readonly pages: number }> {
  const records: Record<string, unknown>[] = [];
  let cursor: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const query = new URLSearchParams({ ...parameters, ...(cursor === null ? {} : { cursor }) });
    const response = await app.request('GET', `/api/${collection}?${query.toString()}`, { key });
    if (response.status !== 200) throw new Error(`${response.status}: ${response.text}`);
    const body = response.body as { data: Record<string, unknown>[]; page: { next: string | null } };
    records.push(...body.data);
    if (body.page.next === null) return { records, pages };
    if (body.data.length === 0) throw new Error('An empty page says that there are more.');
    cursor = body.page.next;
    await between?.(pages);
  }
}
