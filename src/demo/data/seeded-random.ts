/**
 * Random numbers that are the same for the same seed, on every machine: xoshiro128** (Blackman and Vigna), seeded by
 * splitmix32. For sample data only; nothing here is secret.
 */
export class SeededRandom {
  private readonly state: Uint32Array;

  constructor(private readonly seed: number) {
    let mixer = seed >>> 0;
    this.state = Uint32Array.from({ length: 4 }, () => {
      mixer = (mixer + 0x9e3779b9) >>> 0;
      let mixed = mixer ^ (mixer >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    });
  }

  /** A stream of its own for one part of the data, so that a change in one part leaves the others as they are. */
  fork(label: string): SeededRandom {
    let hash = this.seed >>> 0;
    for (const character of label) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    return new SeededRandom(hash);
  }

  /** At least 0, less than 1. */
  next(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** A whole number, both ends included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** A number in a range, most often near the middle of it. */
  around(least: number, most: number): number {
    return least + ((this.next() + this.next() + this.next()) / 3) * (most - least);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length - 1)];
    if (item === undefined) throw new RangeError('Nothing to pick from.');
    return item;
  }

  /** One of the items, each as likely as its weight says. */
  pickWeighted<T>(items: readonly T[], weightOf: (item: T) => number): T {
    let rest = this.next() * items.reduce((sum, item) => sum + weightOf(item), 0);
    for (const item of items) {
      rest -= weightOf(item);
      if (rest < 0) return item;
    }
    return this.pick(items);
  }

  /** Some of the items, each once, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    const chosen: T[] = [];
    while (chosen.length < count && rest.length > 0) {
      chosen.push(...rest.splice(this.int(0, rest.length - 1), 1));
    }
    return chosen;
  }

  /** A version 4 UUID. */
  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.nextUint32().toString(16).padStart(8, '0')).join('');
    const variant = '89ab'[this.int(0, 3)];
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  private nextUint32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.state;
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const third = c ^ a;
    const fourth = d ^ b;
    this.state[1] = b ^ third;
    this.state[0] = a ^ fourth;
    this.state[2] = third ^ (b << 9);
    this.state[3] = rotateLeft(fourth, 11);
    return result;
  }
}

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
