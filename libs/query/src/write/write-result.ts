/** What a write's statement answers, out of its one row. */
export interface WriteResult {
  /** `done`, or why nothing was written: by key only. */
  readonly outcome: 'done' | 'not-found' | 'forbidden' | 'precondition-failed';
  /** Rows that were written, created ones among them. */
  readonly written: number;
  readonly created: number;
  /** The record's key, for its address; null for a list, and where the caller cannot read it. */
  readonly key: readonly string[] | null;
  /** The row's version, for its entity tag; null likewise. */
  readonly version: string | null;
  /** JSON: the record, or an array of them; null where none is asked for, or the caller cannot read it. */
  readonly data: string | null;
}

/** Where a trigger of the database kept the only record of a write from being written. */
const NOTHING: WriteResult = {
  outcome: 'done',
  written: 0,
  created: 0,
  key: null,
  version: null,
  data: null,
};

/** Reads the row, whose columns are texts in the order of the select list. */
export function readWriteResult(row: readonly (string | null)[] | undefined): WriteResult {
  if (!row) return NOTHING;
  const [outcome, written, created, key, version, data] = row;
  if (!isOutcome(outcome)) throw new Error(`a write answered ${String(outcome)}`);
  return {
    outcome,
    written: Number(written),
    created: Number(created),
    key: key == null ? null : (JSON.parse(key) as string[]),
    version: version ?? null,
    data: data ?? null,
  };
}

const isOutcome = (text: unknown): text is WriteResult['outcome'] =>
  text === 'done' || text === 'not-found' || text === 'forbidden' || text === 'precondition-failed';
