import { request } from 'node:http';

export interface RawResponse {
  readonly status: number;
  readonly text: string;
}

/**
 * A request whose target goes out letter by letter: `fetch` would resolve `..`, encode what must be encoded, and refuse
 * what no URL can be.
 */
export function sendRaw(
  url: string,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Promise<RawResponse> {
  const { hostname, port } = new URL(url);
  // Node tells no length for methods that have no body as a rule, and what is sent would be the next request.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path: target, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
