/** Of one look-up. */
const MAX_TOGETHER = 500;

/** Finds what there is for some keys, by key. */
export type LoadMany<Found> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Found>>;

/**
 * Gathers look-ups of single keys into one statement at a time: those that come while one is under way wait and are asked
 * together. So a flood of invented keys costs one connection at most.
 */
export class GatheredLookups<Found> {
  private readonly asked = new Map<string, Promise<Found | null>>();
  private gathering: {
    readonly keys: string[];
    readonly found: Promise<ReadonlyMap<string, Found>>;
  } | null = null;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly load: LoadMany<Found>) {}

  /** What there is for a key, or null; who asks for the same key meanwhile shares the answer. */
  find(key: string): Promise<Found | null> {
    let answer = this.asked.get(key);
    if (answer === undefined) {
      answer = this.gather(key)
        .then((found) => found.get(key) ?? null)
        .finally(() => {
          if (this.asked.get(key) === answer) this.asked.delete(key);
        });
      this.asked.set(key, answer);
    }
    return answer;
  }

  /** What is asked from now on is read from now on, and not shared with who asked before. */
  renew(): void {
    this.asked.clear();
    this.gathering = null;
  }

  /** Joins the look-up that waits for its turn, or starts one. */
  private gather(key: string): Promise<ReadonlyMap<string, Found>> {
    if (this.gathering === null || this.gathering.keys.length >= MAX_TOGETHER) {
      const keys: string[] = [];
      const found = this.running.then(() => {
        if (this.gathering?.keys === keys) this.gathering = null;
        return this.load(keys);
      });
      this.running = found.catch(() => {
        // Told to those who asked; the next look-up has its own chance.
      });
      this.gathering = { keys, found };
    }
    this.gathering.keys.push(key);
    return this.gathering.found;
  }
}
