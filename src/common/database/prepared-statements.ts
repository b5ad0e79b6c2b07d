import pg from 'pg';

/**
 * The server keeps a plan of some ten kilobytes for each named statement of each connection, until the connection ends.
 * A connection with this many is replaced by a fresh one: that costs some milliseconds once in so many new statements,
 * where forgetting single statements would cost a round trip each.
 */
export const MAX_PREPARED = 500;

const prepared = new WeakMap<pg.ClientBase, Set<string>>();

/** Remembers that a connection has a statement of this name. */
export function notePrepared(client: pg.ClientBase, name: string): void {
  const names = prepared.get(client);
  if (names === undefined) prepared.set(client, new Set([name]));
  else names.add(name);
}

/**
 * Whether a connection should not go back to the pool: it has too many prepared statements, or failed in a way after
 * which it may not be as it was. What PostgreSQL merely refused leaves the connection sound.
 */
export function isSpent(client: pg.ClientBase, failure: unknown): boolean {
  if (failure !== undefined && !(failure instanceof pg.DatabaseError && isSound(failure))) return true;
  return (prepared.get(client)?.size ?? 0) >= MAX_PREPARED;
}

/** Unsound: an error that ends the session, a prepared plan that is out of date, a statement that is not where it was. */
const isSound = ({ code, severity }: pg.DatabaseError): boolean =>
  severity === 'ERROR' && code !== undefined && !/^(08|0A|26|57P|58|XX)/.test(code) && code !== '42P05';
