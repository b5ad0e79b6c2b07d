/** A place in PostgreSQL's write-ahead log (an LSN), in bytes from its beginning. */
export type LogPosition = bigint;

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/;

/**
 * Reads an LSN as PostgreSQL writes it: `16/B374D848`.
 * @throws Error for any other text
 */
export function parseLogPosition(text: string): LogPosition {
  const [, high, low] = LSN.exec(text) ?? [];
  if (high === undefined || low === undefined) throw new Error(`${JSON.stringify(text)} is no LSN`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
