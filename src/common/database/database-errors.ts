/** System calls and driver states that mean: no way to the database now. */
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  // PostgreSQL: connection exceptions, a transaction left alone, too many connections, shutting down, crashed, not
  // started yet.
  '25P03',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);

/** The driver has no codes for these. */
const CONNECTION_MESSAGES =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after calling end|Client was closed|server closed the connection|Query read timeout)/;

/** Whether an error means that the database cannot be reached, so that the request may be tried again later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError)
    return error.errors.length > 0 && error.errors.every(isDatabaseUnavailable);
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' && CONNECTION_CODES.has(code)) || CONNECTION_MESSAGES.test(error.message);
}

/** The pool's queue, in which a request waits for a connection while all of them are busy. */
const QUEUE_MESSAGE = 'timeout exceeded when trying to connect';

/** What to tell the client of such an error. */
export const describeUnavailable = (error: unknown): string =>
  error instanceof Error && error.message === QUEUE_MESSAGE
    ? 'No connection to the database became free in time; try again soon.'
    : 'The database cannot be reached; try again soon.';
