import { Readable } from 'node:stream';
import type { ListQuery } from '@plinth/query';
import type { TextRow } from '../common/database/index.js';

/** Characters that are put together before they are sent. */
const CHUNK = 64 * 1024;

/**
 * A page as JSON text, made while it is read: `{"data": [...], "page": {"next", "total"?}}`. The first rows are there
 * when it resolves, so that a statement which fails at once is still answered with a problem; what fails later ends the
 * connection, for an answer must never look whole when it is not.
 */
export async function streamPage(
  query: Pick<ListQuery, 'rows' | 'nextCursor'>,
  batches: AsyncGenerator<readonly TextRow[], void, undefined>,
  noteRows: (count: number) => void,
): Promise<Readable> {
  const first = await batches.next();
  return Readable.from(writePage(query, first, batches, noteRows), {
    objectMode: false,
    highWaterMark: CHUNK,
  });
}

async function* writePage(
  { rows, nextCursor }: Pick<ListQuery, 'rows' | 'nextCursor'>,
  first: IteratorResult<readonly TextRow[], void>,
  batches: AsyncGenerator<readonly TextRow[], void, undefined>,
  noteRows: (count: number) => void,
): AsyncGenerator<string, void, undefined> {
  let text = '{"data":[';
  let count = 0;
  let last: string | null = null;
  let total: string | null = null;
  try {
    for (let batch = first; batch.done !== true; batch = await batches.next()) {
      for (const [record, next, allRows] of batch.value) {
        count += 1;
        total = allRows ?? total;
        if (count > rows) continue;
        text += count === 1 ? (record ?? 'null') : `,${record ?? 'null'}`;
        last = next ?? last;
        if (text.length < CHUNK) continue;
        yield text;
        text = '';
      }
    }
  } finally {
    await batches.return();
    noteRows(Math.min(count, rows));
  }
  const cursor = count > rows ? nextCursor(last) : null;
  const page = total === null ? { next: cursor } : { next: cursor, total: Number(total) };
  yield `${text}],"page":${JSON.stringify(page)}}`;
}
