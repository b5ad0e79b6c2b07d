import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../errors/index.js';

/**
 * The text of a JSON body. What is not plain UTF-8 is refused: a decoder would replace its bytes, and something else than
 * what was sent would be saved.
 * @throws Problem `unsupported-media-type` or `invalid-json`
 */
export function readBodyText({ headers }: FastifyRequest, body: Buffer): string {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type', {
      detail: 'The body must come without a Content-Encoding.',
      headers: { 'accept-encoding': 'identity' },
    });
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new Problem('unsupported-media-type', { detail: 'JSON is sent in UTF-8.' });
  }
  if (!isUtf8(body)) throw new Problem('invalid-json', { detail: 'The body is not valid UTF-8.' });
  return body.toString('utf8');
}
