import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * The cookie of a browser's session. Over HTTPS its name makes browsers take it from this very host only (RFC 6265bis), so
 * that another one of the same domain cannot plant one.
 */
const PLAIN_NAME = 'plinth';
const SECURE_PREFIX = '__Host-';

/** What the OpenAPI document calls it. */
export const SESSION_COOKIE = `${SECURE_PREFIX}${PLAIN_NAME}`;

const isSecure = (request: FastifyRequest): boolean => request.protocol === 'https';

const nameFor = (request: FastifyRequest, name: string): string =>
  isSecure(request) ? `${SECURE_PREFIX}${name}` : name;

/** The value of the session cookie that a request carries, or null. Of two with its name, none is taken. */
export const readSessionCookie = (request: FastifyRequest): string | null =>
  readOwnCookie(request, PLAIN_NAME);

/** @param maxAgeSeconds how long the browser keeps it; 0 removes it */
export const setSessionCookie = (
  request: FastifyRequest,
  reply: FastifyReply,
  value: string,
  maxAgeSeconds: number,
): void => setOwnCookie(request, reply, PLAIN_NAME, value, maxAgeSeconds);

export const removeSessionCookie = (request: FastifyRequest, reply: FastifyReply): void =>
  setSessionCookie(request, reply, '', 0);

/**
 * The value of a cookie of this server, or null.
 * @param name without the prefix that it has over HTTPS
 */
export function readOwnCookie(request: FastifyRequest, name: string): string | null {
  const { cookie } = request.headers;
  if (cookie === undefined || !cookie.includes(name)) return null;
  const start = `${nameFor(request, name)}=`;
  const values = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start));
  return values.length === 1 ? (values[0]?.slice(start.length) ?? null) : null;
}

/** Sets a cookie that scripts cannot see and that no page of another site sends, beside those that are set already. */
export function setOwnCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  value: string,
  maxAgeSeconds: number,
): void {
  const parts = [
    `${nameFor(request, name)}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeSeconds}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure(request) ? ['Secure'] : []),
  ];
  void reply.header('set-cookie', parts.join('; '));
}
