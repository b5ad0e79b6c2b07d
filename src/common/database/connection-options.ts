import type pg from 'pg';
import type { DatabaseSockets } from './database-sockets.js';

/** Wire types are fixed for every connection, so that the same row gives the same JSON everywhere. */
const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  timezone: 'UTC',
  datestyle: 'ISO',
  intervalstyle: 'iso_8601',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  // Compiling costs more than it saves for statements of a request, whose estimates are often far too high.
  jit: 'off',
  // For when this process is gone and the server cannot know, because the network in between is silent: a transaction
  // would keep its locks for hours, and every retry would wait for them. Ours are idle for milliseconds.
  idle_in_transaction_session_timeout: '5000',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
};

/** A connection that is idle for so long asks whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;

/** How long after a statement's own time limit the server counts as lost. */
const SILENCE_MS = 5000;

/** How every connection of Plinth is opened: the address, with our session settings added to its own `options`. */
export function connectionOptions(address: string, sockets?: DatabaseSockets): pg.ClientConfig {
  const url = new URL(address);
  const own = url.searchParams.get('options') ?? '';
  // The driver lets the address win over the configuration, so the merged text replaces the address's part.
  url.searchParams.delete('options');
  const settings = Object.entries(SESSION_SETTINGS).map(([name, value]) => `-c ${name}=${value}`);
  return {
    connectionString: url.toString(),
    options: [own, ...settings].filter((part) => part !== '').join(' '),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'plinth',
    ...(sockets === undefined ? {} : { stream: sockets.factory() }),
  };
}

/** After how long a server that should have answered or cancelled a statement is lost; never, where there is no limit. */
export const silenceAfter = (statementTimeoutMs: number): number | undefined =>
  statementTimeoutMs === 0 ? undefined : statementTimeoutMs + SILENCE_MS;
