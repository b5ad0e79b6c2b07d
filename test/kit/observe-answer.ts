import type { TestResponse } from './app.js';

/** Headers that are random, or tell when and over which connection. */
const RANDOM_HEADERS = new Set(['date', 'x-request-id', 'etag', 'keep-alive', 'connection']);

/**
 * What of an answer must not differ where nothing but hidden values does: everything but what is random in every answer.
 * A cursor may not even differ in length.
 */
export function observeAnswer({ status, text, headers }: TestResponse, hostUrl: string): object {
  return {
    status,
    text: text
      .replaceAll(/"requestId":"[^"]+"/g, '"requestId":"?"')
      .replaceAll(/"next":"([^"]+)"/g, (_, cursor: string) => `"next":${cursor.length}`),
    headers: [...headers]
      .filter(([name]) => !RANDOM_HEADERS.has(name))
      .map(([name, value]) => [
        name,
        value
          .replace(hostUrl, '')
          .replace(/cursor=([^>&]+)/, (_, cursor: string) => `cursor=${cursor.length}`),
      ]),
  };
}
