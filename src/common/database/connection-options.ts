import type pg from 'pg';

/** Wire types are fixed for every connection, so that the same row gives the same JSON everywhere. */
const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  timezone: 'UTC',
  datestyle: 'ISO',
  intervalstyle: 'iso_8601',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  // Compiling costs more than it saves for statements of a request, whose estimates are often far too high.
  jit: 'off',
};

/** How every connection of Plinth is opened: the address, with our session settings added to its own `options`. */
export function connectionOptions(address: string): pg.ClientConfig {
  const url = new URL(address);
  const own = url.searchParams.get('options') ?? '';
  // The driver lets the address win over the configuration, so the merged text replaces the address's part.
  url.searchParams.delete('options');
  const settings = Object.entries(SESSION_SETTINGS).map(([name, value]) => `-c ${name}=${value}`);
  return {
    connectionString: url.toString(),
    options: [own, ...settings].filter((part) => part !== '').join(' '),
    keepAlive: true,
    application_name: 'plinth',
  };
}
