import type { FastifyRequest } from 'fastify';
import { Problem } from '../common/errors/index.js';
import { readSessionCookie } from '../common/http/index.js';
import { KEY_START } from './keys/key-format.js';

/** What a request says about who sends it. */
export interface Credential {
  readonly kind: 'key' | 'token' | 'cookie';
  readonly text: string;
}

/**
 * The credential that a request carries, or null for none. Two that differ are a mistake, and neither is taken; a cookie
 * counts only where there is no header, because browsers send it unasked.
 * @throws Problem `unauthenticated`
 */
export function readCredential(request: FastifyRequest): Credential | null {
  const { authorization } = request.headers;
  const apiKey = request.headers['x-api-key'];
  if (authorization === undefined && apiKey === undefined) {
    const cookie = readSessionCookie(request);
    return cookie === null ? null : { kind: 'cookie', text: cookie };
  }
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (authorization !== undefined && bearer === undefined) throw refusedCredential();
  if (Array.isArray(apiKey) || (bearer !== undefined && apiKey !== undefined && bearer !== apiKey)) {
    throw unauthenticated('The request carries two different credentials.', 'error="invalid_request"');
  }
  const text = bearer ?? apiKey;
  if (text === undefined) return null;
  return { kind: text.startsWith(KEY_START) ? 'key' : 'token', text };
}

/**
 * A refusal with its challenge (RFC 6750): no `error` where there was no credential at all.
 * @param parameters of the challenge
 */
export const unauthenticated = (detail: string, parameters?: string): Problem =>
  new Problem('unauthenticated', {
    detail,
    headers: {
      'www-authenticate': `Bearer realm="plinth"${parameters === undefined ? '' : `, ${parameters}`}`,
    },
  });

export const noCredential = (): Problem =>
  unauthenticated('This address needs a credential: send "Authorization: Bearer <key>".');

/** One answer for all credentials that never held, so that it tells nothing about them. */
export const refusedCredential = (): Problem =>
  unauthenticated('The credential is unknown, malformed, expired or revoked.', 'error="invalid_token"');

/** For one that was ours: nobody guessed it. */
export const endedCredential = (): Problem =>
  unauthenticated(
    'The access token has expired or its session is over: refresh it, or sign in again.',
    'error="invalid_token"',
  );
