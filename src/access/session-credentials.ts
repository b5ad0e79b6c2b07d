import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/context/index.js';

/**
 * What a credential of a session comes to: who it speaks for; `ended` where it was ours and holds no more; null where it
 * never was.
 */
export type Recognised = Actor | 'ended' | null;

/** Tells whose session a credential is of. At once where it was seen before. */
export interface SessionRecogniser {
  findByToken(token: string): Recognised | Promise<Recognised>;
  findByCookie(value: string): Recognised | Promise<Recognised>;
}

/** Where the domain that keeps sessions says how they are recognised; without it, there are none. */
@Injectable()
export class SessionCredentials implements SessionRecogniser {
  private recogniser: SessionRecogniser | null = null;

  use(recogniser: SessionRecogniser): void {
    this.recogniser = recogniser;
  }

  findByToken(token: string): Recognised | Promise<Recognised> {
    return this.recogniser === null ? null : this.recogniser.findByToken(token);
  }

  findByCookie(value: string): Recognised | Promise<Recognised> {
    return this.recogniser === null ? null : this.recogniser.findByCookie(value);
  }
}
