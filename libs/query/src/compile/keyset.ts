import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { SortKey } from './order.js';
import { inputParameter } from './input-parameter.js';

/** The name under which a cursor's n-th value is bound. */
export const cursorInput = (index: number): string => `cursor.${index}`;

const MAX_SEGMENTS = 4;

/** A sort key and the cursor's value for it. */
interface BoundKey extends SortKey {
  readonly value: Sql;
  readonly isNullValue: boolean;
}

/** Keys that go together into one row comparison. */
type Run = readonly BoundKey[];

/**
 * The rows after a cursor, as predicates whose rows follow one another in the order: all rows of the first, then all of
 * the second, and so on. Each predicate is a range that an index over the keys can serve from where the cursor stands;
 * a single OR over mixed directions or nulls would be read from the start of the index for every page.
 *
 * Keys of one direction that cannot be null are compared as a row, `(a, b) > ($1, $2)`, which is one range by itself.
 */
export function keysetSegments(keys: readonly SortKey[], nullValues: readonly boolean[]): readonly Sql[] {
  const runs = splitRuns(
    keys.map((key, index) => ({
      ...key,
      value: inputParameter(cursorInput(index), key.castSql),
      isNullValue: nullValues[index] ?? false,
    })),
  );
  const segments: Sql[] = [];
  for (let last = runs.length - 1; last >= 0; last--) {
    const tied = runs.slice(0, last).flatMap((run) => run.map((key) => equals(key)));
    const run = runs[last];
    for (const after of run ? afterRun(run) : []) segments.push(joinSql([...tied, after], ' AND '));
  }
  if (segments.length === 0) return [rawSql('false')];
  if (segments.length === 1) return segments;
  // Without an index each segment would be a scan and a sort of its own.
  const isRanged = keys[0]?.isIndexed === true && segments.length <= MAX_SEGMENTS;
  return isRanged ? segments : [anyOf(segments, runs[0])];
}

function splitRuns(keys: readonly BoundKey[]): readonly Run[] {
  const runs: BoundKey[][] = [];
  for (const key of keys) {
    const run = runs.at(-1);
    const previous = run?.at(-1);
    if (run && previous && isPlain(previous) && isPlain(key) && previous.descending === key.descending) {
      run.push(key);
    } else runs.push([key]);
  }
  return runs;
}

const isPlain = (key: BoundKey): boolean => !key.nullable && !key.isNullValue;

const isNull = (key: SortKey): Sql =>
  key.isRow ? sql`${key.sql} IS NOT DISTINCT FROM NULL` : sql`${key.sql} IS NULL`;
const isNotNull = (key: SortKey): Sql =>
  key.isRow ? sql`${key.sql} IS DISTINCT FROM NULL` : sql`${key.sql} IS NOT NULL`;
const equals = (key: BoundKey): Sql => (key.isNullValue ? isNull(key) : sql`${key.sql} = ${key.value}`);

function afterRun(run: Run): readonly Sql[] {
  const [key] = run;
  if (!key) return [];
  const operator = rawSql(key.descending ? '<' : '>');
  if (run.length > 1) {
    const columns = joinSql(
      run.map((member) => member.sql),
      ', ',
    );
    const values = joinSql(
      run.map((member) => member.value),
      ', ',
    );
    return [sql`(${columns}) ${operator} (${values})`];
  }
  // Nulls are last, or first when descending.
  if (key.isNullValue) return key.descending ? [isNotNull(key)] : [];
  const beyond = sql`${key.sql} ${operator} ${key.value}`;
  return key.nullable && !key.descending ? [beyond, isNull(key)] : [beyond];
}

/** All segments in one predicate, with a bound on the leading key where there is one for the index to start from. */
function anyOf(segments: readonly Sql[], leading: Run | undefined): Sql {
  const any = sql`(${joinSql(
    segments.map((segment) => sql`(${segment})`),
    ' OR ',
  )})`;
  const [key] = leading ?? [];
  if (!key || key.isNullValue || (key.nullable && !key.descending)) return any;
  return sql`${key.sql} ${rawSql(key.descending ? '<=' : '>=')} ${key.value} AND ${any}`;
}
