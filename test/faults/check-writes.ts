import { Client } from 'pg';
import type { WriteLoad } from './write-load.js';

interface Written {
  readonly id: string;
  readonly tag: string;
}

/** Runs one statement on a connection of its own. */
export async function querySql<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Holds what a load was told against what the database has, when the load has stopped.
 * @returns what is wrong: acknowledged and not there, there twice, or there in half
 */
export async function findWrongWrites(databaseUrl: string, load: WriteLoad): Promise<string[]> {
  const wrong: string[] = [];
  const notes = groupByTag(await querySql<Written>(databaseUrl, 'SELECT id::text, tag FROM notes'));
  const ledger = groupByTag(await querySql<Written>(databaseUrl, 'SELECT id::text, tag FROM ledger'));
  const marks = new Set(
    (await querySql<{ id: number }>(databaseUrl, 'SELECT id FROM marks')).map(({ id }) => id),
  );
  for (const [tag, id] of load.notes) {
    const ids = notes.get(tag) ?? [];
    if (ids.length !== 1 || ids[0] !== id) wrong.push(`${tag}: told ${id}, stored ${ids.join(' ')}`);
  }
  for (const tag of load.batches) {
    if (!notes.has(tag) || !ledger.has(tag)) wrong.push(`${tag}: acknowledged and not there`);
  }
  for (const [tag, ids] of notes) {
    const twin = ledger.get(tag) ?? [];
    if (ids.length > 1) wrong.push(`${tag}: written ${ids.length} times`);
    if (tag.startsWith('batch-') && twin.length !== ids.length) wrong.push(`${tag}: half of a batch`);
  }
  for (const tag of ledger.keys()) if (!notes.has(tag)) wrong.push(`${tag}: half of a batch`);
  for (const id of load.marks) if (!marks.has(id)) wrong.push(`mark ${id}: acknowledged and not there`);
  return wrong;
}

function groupByTag(rows: readonly Written[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { id, tag } of rows) groups.set(tag, [...(groups.get(tag) ?? []), id]);
  return groups;
}
