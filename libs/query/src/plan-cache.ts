/**
 * Plans by the shape of their request. Bounded: the plan that was not used for longest goes first, so that neither many
 * shapes nor old versions of the schema and the access rules can fill the memory.
 */
export class PlanCache<Plan> {
  private readonly plans = new Map<string, Plan>();

  constructor(readonly capacity = 2000) {}

  get size(): number {
    return this.plans.size;
  }

  /** The plan under `key`, made by `build` where there is none. What `build` throws is not remembered. */
  get(key: string, build: () => Plan): Plan {
    const known = this.plans.get(key);
    if (known !== undefined) {
      // A Map iterates in the order of insertion, so the last one used goes to the end.
      this.plans.delete(key);
      this.plans.set(key, known);
      return known;
    }
    const plan = build();
    this.plans.set(key, plan);
    if (this.plans.size > this.capacity) {
      const oldest = this.plans.keys().next();
      if (!oldest.done) this.plans.delete(oldest.value);
    }
    return plan;
  }
}
