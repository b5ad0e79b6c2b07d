/** Of a key: a request of so unusual a shape is planned anew each time rather than kept. */
const MAX_KEY_LENGTH = 16_384;

/** What a cache has done since it was made. */
export interface PlanCacheCounts {
  readonly entries: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
}

/**
 * Plans by the shape of their request. Bounded: plans that were not used for long go first, so that neither many shapes
 * nor old versions of the schema and the access rules can fill the memory.
 *
 * There are two generations, so that a hit is one look-up and moves nothing: when the young one is full it becomes the
 * old one, and what is in the old one and used again becomes young. A plan used at least once in every `capacity / 2`
 * different ones stays.
 */
export class PlanCache<Plan> {
  private young = new Map<string, Plan>();
  private old = new Map<string, Plan>();
  private hits = 0;
  private misses = 0;
  private evictions = 0;

  constructor(readonly capacity = 2000) {}

  get size(): number {
    return this.young.size + this.old.size;
  }

  get counts(): PlanCacheCounts {
    const { size: entries, hits, misses, evictions } = this;
    return { entries, hits, misses, evictions };
  }

  /** The plan under `key`, made by `build` where there is none. What `build` throws is not remembered. */
  get(key: string, build: () => Plan): Plan {
    const known = this.young.get(key);
    if (known !== undefined) {
      this.hits += 1;
      return known;
    }
    if (key.length > MAX_KEY_LENGTH) {
      this.misses += 1;
      return build();
    }
    const older = this.old.get(key);
    if (older === undefined) this.misses += 1;
    else this.hits += 1;
    const plan = older ?? build();
    this.old.delete(key);
    if (this.young.size >= Math.max(1, Math.floor(this.capacity / 2))) {
      this.evictions += this.old.size;
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, plan);
    return plan;
  }
}
