import { Problem } from '../common/errors/index.js';

/** What a request says about records, taken from its address: still as the caller wrote it. */
export interface RecordAddress {
  readonly collection: string;
  /** The last part of the path, percent-encoded, because the parts of a composite key are separated by bare commas. */
  readonly key: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Splits `/api/{collection}/{key}?...`; works under any prefix that a host application puts before it. */
export function parseRecordAddress(url: string, collection: string): RecordAddress {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  return {
    collection: checkText('the collection', collection),
    key: path.slice(path.lastIndexOf('/') + 1),
    parameters: mark === -1 ? [] : parseParameters(url.slice(mark + 1)),
  };
}

/** Query parameters, decoded, in their order. */
export function parseParameters(query: string): readonly (readonly [name: string, value: string])[] {
  if (query === '') return [];
  return [...new URLSearchParams(query)].map(
    ([name, value]) => [checkText('a parameter', name), checkText(`the parameter ${name}`, value)] as const,
  );
}

/** PostgreSQL's text cannot hold NUL; nothing that a caller means does. */
function checkText(what: string, text: string): string {
  if (text.includes('\0'))
    throw new Problem('invalid-parameter', { detail: `A NUL character is in ${what}.` });
  return text;
}
