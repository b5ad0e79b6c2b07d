import { Problem } from '../common/errors/index.js';

/** What a request says about records, taken from its address: still as the caller wrote it. */
export interface RecordAddress {
  readonly collection: string;
  /** The last part of the path, percent-encoded, because the parts of a composite key are separated by bare commas. */
  readonly key: string;
  /** What came after the question mark, as it was sent; null where the parameters came otherwise. */
  readonly query: string | null;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Splits `/api/{collection}/{key}?...`; works under any prefix that a host application puts before it. */
export function parseRecordAddress(url: string, collection: string): RecordAddress {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? '' : url.slice(mark + 1);
  return {
    collection: checkText('the collection', collection),
    key: path.slice(path.lastIndexOf('/') + 1),
    query,
    parameters: parseParameters(query),
  };
}

/** Query parameters, decoded, in their order. */
export function parseParameters(query: string): readonly (readonly [name: string, value: string])[] {
  if (query === '') return [];
  return [...new URLSearchParams(query)].map(
    ([name, value]) => [checkText('a parameter', name), checkText(`the parameter ${name}`, value)] as const,
  );
}

/** Of these a query is made that can stand in a header between angle brackets as it is. */
const PLAIN_QUERY = /^[\w.~!*'()%+,;:@/?$=&-]+$/;

/** The address of the page that begins at `cursor`, for a request of another page by `path`, its path. */
export function nextPagePath(path: string, { query, parameters }: RecordAddress, cursor: string): string {
  const others = parameters.filter(([name]) => name !== 'cursor' && name !== 'offset');
  if (query !== null && others.length === parameters.length && PLAIN_QUERY.test(query)) {
    return `${path}?${query}&cursor=${cursor}`;
  }
  const next = new URLSearchParams();
  for (const [name, value] of others) next.append(name, value);
  next.set('cursor', cursor);
  return `${path}?${next.toString()}`;
}

/** PostgreSQL's text cannot hold NUL; nothing that a caller means does. */
function checkText(what: string, text: string): string {
  if (text.includes('\0'))
    throw new Problem('invalid-parameter', { detail: `A NUL character is in ${what}.` });
  return text;
}
