/**
 * Finds which record of a body the database refuses: the least count of first records that fails ends with it. About
 * log2(total) attempts; each must leave nothing behind.
 *
 * @param fails whether the write of the first `count` records is refused for the same reason
 * @returns the record's index, or null where no attempt failed: the reason lies elsewhere, or is gone
 */
export async function locateFailure(
  total: number,
  fails: (count: number) => Promise<boolean>,
): Promise<number | null> {
  let [passing, failing] = [0, total];
  if (!(await fails(total))) return null;
  while (failing - passing > 1) {
    const middle = passing + Math.floor((failing - passing) / 2);
    if (await fails(middle)) failing = middle;
    else passing = middle;
  }
  return failing - 1;
}

/** A connection inside a transaction. */
export interface ProbeConnection {
  /** Runs one statement without values. */
  command(text: string): Promise<void>;
  /** Runs the write of the first `count` records. */
  attempt(count: number): Promise<void>;
}

/**
 * `locateFailure` on a connection in a transaction, each attempt inside a savepoint that is always rolled back.
 * @param isSame whether an error is the one that is looked for
 */
export function locateFailureInTransaction(
  connection: ProbeConnection,
  total: number,
  isSame: (error: unknown) => boolean,
): Promise<number | null> {
  return locateFailure(total, async (count) => {
    await connection.command('SAVEPOINT plinth_probe');
    try {
      await connection.attempt(count);
      return false;
    } catch (error) {
      if (isSame(error)) return true;
      throw error;
    } finally {
      await connection.command('ROLLBACK TO SAVEPOINT plinth_probe');
      await connection.command('RELEASE SAVEPOINT plinth_probe');
    }
  });
}
