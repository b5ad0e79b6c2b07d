const DEFAULT_PORT = '5432';

/** `host:port` of a PostgreSQL address: what a server is called in metrics and logs. */
export function serverName(address: string): string {
  const { hostname, port, searchParams } = new URL(address);
  const host = hostname || searchParams.get('host') || 'localhost';
  return `${host}:${port || searchParams.get('port') || DEFAULT_PORT}`;
}
