import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { Problem } from '../../common/errors/index.js';

/** OWASP's first recommendation for argon2id: 19 MiB, two passes, one thread. */
const OPTIONS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const CURRENT = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

/** Hashes at once: each takes a processor and memory, and libuv's four threads have other work too. */
const MAX_RUNNING = 2;
/** Some ten seconds of work. */
const MAX_WAITING = 400;

/** Argon2id, a few at a time, so that a crowd that signs in leaves the machine to others. */
@Injectable()
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  /** Of a password that nobody knows, with the cost of every other. */
  private readonly decoy: Promise<string> = hash(crypto.randomUUID(), OPTIONS);

  /** @throws Problem `overloaded` */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(password, OPTIONS));
  }

  /**
   * Whether a password has a hash. Without a hash it takes as long, and is false.
   * @throws Problem `overloaded`
   */
  verify(password: string, known: string | null): Promise<boolean> {
    return this.inTurn(async () => {
      const isRight = await verify(known ?? (await this.decoy), password);
      return isRight && known !== null;
    });
  }

  /** Whether a hash was made with other costs than those of today. */
  isOutdated(known: string): boolean {
    return !CURRENT.test(known);
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= MAX_RUNNING) {
      if (this.waiting.length >= MAX_WAITING) throw overloaded();
      // Whoever ends hands its place on, so the count stays.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}

const overloaded = (): Problem =>
  new Problem('overloaded', {
    detail: 'Too many people sign in at once; try again later.',
    headers: { 'retry-after': '5' },
  });
