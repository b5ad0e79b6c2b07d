import type { Actor } from './actor.js';

/** What every service method gets first: who asks, in which request, and whether they still wait for the answer. */
export interface RequestContext {
  readonly actor: Actor;
  readonly requestId: string;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}
