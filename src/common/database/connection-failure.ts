import { maskPassword } from '../config/index.js';

/** The database of the configuration cannot be used; the message says why, and what to do. */
export class UnusableDatabaseError extends Error {
  override readonly name = 'UnusableDatabaseError';
}

export interface ConnectionFailure {
  /** Which database, and what is wrong. */
  readonly what: string;
  /** What to do about it. */
  readonly advice: string;
}

/** What an error means that came while connecting to the database at `url`. */
export function describeConnectionFailure(url: string, error: unknown): ConnectionFailure {
  const reason = reasonOf(error);
  return { what: `${maskPassword(url)} cannot be reached: ${reason}`, advice: adviseOn(error, reason, url) };
}

/** A name with several addresses fails with an error for each of them, and no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function adviseOn(error: unknown, reason: string, url: string): string {
  const { code = '' } = error as { code?: string };
  const { username, pathname } = new URL(url);
  const database = quote(decodeURIComponent(pathname.slice(1)));
  switch (code) {
    case 'ECONNREFUSED':
      return 'Start PostgreSQL, or correct host and port; it must listen on that address.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return "Correct the host's name.";
    case '28P01':
      return 'Correct the user and the password.';
    case '28000':
      return 'Correct the user, or let pg_hba.conf of the server admit them from here.';
    case '3D000':
      return `Correct the name of the database, or make it: CREATE DATABASE ${database};`;
    case '42501':
      return `As an administrator: GRANT CONNECT ON DATABASE ${database} TO ${quote(decodeURIComponent(username))};`;
    case '53300':
      return 'Raise max_connections of the server, or let fewer connect to it.';
    case '57P03':
      return 'Wait until the server has started, or see in its log what it waits for.';
    default:
      if (/timeout|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(`${reason} ${code}`))
        return 'Correct host and port, or let the firewall pass them.';
      if (/\bSSL\b|certificate/i.test(reason))
        return 'Set sslmode in the address as the server wants it: ?sslmode=disable, require or verify-full.';
      return 'Check the address, the password and that PostgreSQL listens there.';
  }
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
