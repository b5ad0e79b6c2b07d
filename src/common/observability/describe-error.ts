/**
 * An error for the log: its class, message and stack. A database error's `detail` and `where` hold values of rows, so
 * only its class and what it names of the schema goes there.
 */
export function describeError(error: unknown): { readonly stack?: string; readonly [fact: string]: unknown } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, routine, constraint } = error as { code?: unknown; routine?: unknown; constraint?: unknown };
  return { name: error.name, message: error.message, code, routine, constraint, stack: error.stack };
}

/** The SQLSTATE of an error of PostgreSQL, or null. */
export function sqlStateOf(error: unknown): string | null {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return error instanceof Error && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
