/** Something that is under way, and where it is kept. */
export interface UnderWayEntry<T> {
  readonly value: T;
  /** Negative once it is over. */
  index: number;
}

/**
 * All that is under way, in no order. For what comes and goes thousands of times a second: a `Set` outgrows its table each
 * few dozen times then, and V8 keeps the outgrown tables, and all that was in them, until the next full collection.
 */
export class UnderWay<T> {
  private readonly entries: UnderWayEntry<T>[] = [];

  get size(): number {
    return this.entries.length;
  }

  begin(value: T): UnderWayEntry<T> {
    const entry = { value, index: this.entries.length };
    this.entries.push(entry);
    return entry;
  }

  /** Takes an entry out; a second time changes nothing. */
  end(entry: UnderWayEntry<T>): void {
    if (entry.index < 0) return;
    const last = this.entries.pop();
    if (last !== undefined && last !== entry) {
      this.entries[entry.index] = last;
      last.index = entry.index;
    }
    entry.index = -1;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const { value } of this.entries) yield value;
  }
}
