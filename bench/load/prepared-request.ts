/** A request as the load sends it; the key comes on top. */
export interface PreparedRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** With the query, encoded. */
  readonly path: string;
  /** JSON, or nothing. */
  readonly body: string;
}

/** One line of the file that both load generators read; tabs and line breaks are encoded in a path and in JSON. */
export const formatRequestLine = ({ method, path, body }: PreparedRequest): string =>
  `${method}\t${path}\t${body}`;

/** The opposite of `formatRequestLine`. */
export function parseRequestLine(line: string): PreparedRequest {
  const [method, path, body] = line.split('\t');
  if (
    (method !== 'GET' && method !== 'POST' && method !== 'PATCH') ||
    path === undefined ||
    body === undefined
  )
    throw new SyntaxError(`Not a request: ${line}`);
  return { method, path, body };
}
