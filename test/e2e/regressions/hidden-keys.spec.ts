import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';

const ROWS = 300;

/** Labels tell the true order of the keys, so that the test can hold the order of an answer against it. */
const SCHEMA = `
  CREATE TABLE boxes (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE parcels (
    code text PRIMARY KEY, box_id int NOT NULL REFERENCES boxes, is_open bool NOT NULL, label int NOT NULL, note text);
  INSERT INTO boxes VALUES (1, 'The only one');
  INSERT INTO parcels SELECT lpad(i::text, 4, '0') || repeat('z', i % 23), 1, i % 3 = 0, i
    FROM generate_series(1, ${ROWS}) i;
`;

interface Parcel {
  readonly code: string | null;
  readonly label: number;
}

let app: TestApp;
/** May see the key of open parcels. */
let some: string;
/** May see the key of none. */
let none: string;
beforeAll(async () => {
  app = await startTestApp({ sql: SCHEMA });
  const all = [
    { collection: 'parcels', action: 'read', fields: ['label', 'box_id', 'note'] },
    { collection: 'parcels', action: 'update', fields: ['note'] },
    { collection: 'boxes', action: 'read' },
  ];
  none = await app.keyFor('none', all);
  some = await app.keyFor('some', [
    ...all,
    { collection: 'parcels', action: 'read', condition: 'is_open', fields: ['code'] },
  ]);
});
afterAll(() => app?.close());

/** Whether numbers stand in no order: their inversions are within five standard deviations of those of a shuffle. */
function isShuffled(labels: readonly number[]): boolean {
  const n = labels.length;
  const inversions = labels.reduce(
    (sum, label, index) => sum + labels.slice(index + 1).filter((later) => later < label).length,
    0,
  );
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 72);
  return Math.abs(inversions - (n * (n - 1)) / 4) < 5 * deviation;
}

const labelsOf = (parcels: readonly Parcel[]): number[] => parcels.map(({ label }) => label);
const byLabel = (a: number, b: number): number => a - b;
const everyLabel = Array.from({ length: ROWS }, (_, index) => index + 1);

async function readParcels(key: string, query: string): Promise<readonly Parcel[]> {
  const { status, body } = await app.request('GET', `/api/parcels?${query}`, { key });
  expect(status).toBe(200);
  return body.data as Parcel[];
}

describe('[row 3] a key that is hidden', () => {
  it('[row 3] orders nothing where it is hidden on every row', async () => {
    for (const query of ['limit=1000', 'limit=1000&sort=note', 'limit=1000&sort=-box_id']) {
      const labels = labelsOf(await readParcels(none, `${query}&fields=label`));
      expect(labels.toSorted(byLabel)).toEqual(everyLabel);
      expect([query, isShuffled(labels)]).toEqual([query, true]);
    }
  });

  it('[row 3] orders only the rows on which it can be seen', async () => {
    for (const query of ['limit=1000&fields=code,label', 'limit=1000&sort=note', 'limit=1000&sort=code']) {
      const parcels = await readParcels(some, query);
      const seen = parcels.slice(0, ROWS / 3);
      expect(labelsOf(seen)).toEqual(everyLabel.filter((label) => label % 3 === 0));
      const rest = parcels.slice(ROWS / 3);
      expect(rest.every(({ code }) => code === null)).toBe(true);
      expect([query, isShuffled(labelsOf(rest))]).toEqual([query, true]);
    }
  });

  it('[row 3] orders no embedded list', async () => {
    const { body } = await app.request('GET', '/api/boxes/1?fields=parcels(label)&parcels.limit=1000', {
      key: none,
    });
    expect(labelsOf(body.parcels as Parcel[]).toSorted(byLabel)).toEqual(everyLabel);
    expect(isShuffled(labelsOf(body.parcels as Parcel[]))).toBe(true);
  });

  it('[row 3] orders no answer of a write', async () => {
    for (const key of [none, some]) {
      const { status, body } = await app.request(
        'PATCH',
        '/api/parcels?filter=label%20%3E%200&fields=label',
        {
          key,
          body: { note: 'changed' },
        },
      );
      expect(status).toBe(200);
      const labels = labelsOf(body.data as Parcel[]);
      expect(labels.toSorted(byLabel)).toEqual(everyLabel);
      const hidden = key === none ? labels : labels.filter((label) => label % 3 > 0);
      expect(isShuffled(hidden)).toBe(true);
    }
  });

  it('[row 3] is not told by the length of a cursor, and no row is lost or doubled on the pages', async () => {
    for (const [key, sort] of [
      [none, ''],
      [some, ''],
      [some, '&sort=-note'],
    ] as const) {
      const seen: Parcel[] = [];
      const lengths = new Set<number>();
      let cursor: string | null = '';
      while (cursor !== null) {
        const { body } = await app.request(
          'GET',
          `/api/parcels?limit=7${sort}${cursor === '' ? '' : `&cursor=${cursor}`}`,
          { key },
        );
        seen.push(...(body.data as Parcel[]));
        cursor = body.page.next as string | null;
        const last = seen.at(-1);
        if (cursor !== null && (last?.code ?? null) === null) lengths.add(cursor.length);
      }
      expect(labelsOf(seen).toSorted(byLabel)).toEqual(everyLabel);
      expect(lengths.size).toBe(1);
    }
  });

  it('[row 3] is found by no address, in the same words as a key that is not there', async () => {
    const [hidden, missing] = [`0001z`, `0000z`];
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answers: unknown[] = [];
      for (const code of [hidden, missing]) {
        const { status, body } = await app.request(method, `/api/parcels/${code}`, {
          key: some,
          body: method === 'PATCH' ? { note: 'x' } : undefined,
        });
        answers.push([status, { ...body, requestId: '' }]);
      }
      expect(answers[0]).toEqual(answers[1]);
      expect([404, 403]).toContain((answers[0] as [number])[0]);
    }
  });
});
