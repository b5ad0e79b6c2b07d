import { hash, randomBytes } from 'node:crypto';

const ID_BYTES = 16;
const SECRET_BYTES = 32;

/** How a refresh token begins, so that secret scanners know one. It is like nothing that the guard takes. */
const REFRESH_START = 'plinth_rt_';
const REFRESH_TOKEN = /^plinth_rt_[\w-]{107}$/;
/** The length of a session's id and one secret in base64url. */
const COOKIE = /^[\w-]{64}$/;

/** What a refresh token is made of. */
export interface RefreshToken {
  readonly sessionId: string;
  readonly family: Buffer;
  readonly rotation: Buffer;
}

/** What a session cookie is made of. */
export interface CookieSecret {
  readonly sessionId: string;
  readonly family: Buffer;
}

export const randomSecret = (): Buffer => randomBytes(SECRET_BYTES);

/** SHA-256: what is hashed has too much entropy for anything slower to be of use. */
export const hashSecret = (secret: Buffer): Buffer => hash('sha256', secret, 'buffer');

export function formatRefreshToken({ sessionId, family, rotation }: RefreshToken): string {
  return REFRESH_START + Buffer.concat([uuidBytes(sessionId), family, rotation]).toString('base64url');
}

/** The parts of a well-formed refresh token, or null. */
export function parseRefreshToken(text: string): RefreshToken | null {
  if (!REFRESH_TOKEN.test(text)) return null;
  const bytes = Buffer.from(text.slice(REFRESH_START.length), 'base64url');
  return {
    sessionId: uuidText(bytes.subarray(0, ID_BYTES)),
    family: bytes.subarray(ID_BYTES, ID_BYTES + SECRET_BYTES),
    rotation: bytes.subarray(ID_BYTES + SECRET_BYTES),
  };
}

export const formatCookie = ({ sessionId, family }: CookieSecret): string =>
  Buffer.concat([uuidBytes(sessionId), family]).toString('base64url');

/** The parts of a well-formed cookie's value, or null. */
export function parseCookie(value: string): CookieSecret | null {
  if (!COOKIE.test(value)) return null;
  const bytes = Buffer.from(value, 'base64url');
  return { sessionId: uuidText(bytes.subarray(0, ID_BYTES)), family: bytes.subarray(ID_BYTES) };
}

const uuidBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');

const uuidText = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
