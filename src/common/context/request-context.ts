import type { ObservedRequest, TraceContext } from '../observability/index.js';
import type { Actor } from './actor.js';

/** What every service method gets first: who asks, in which request, and whether they still wait for the answer. */
export interface RequestContext {
  readonly actor: Actor;
  readonly requestId: string;
  /** Whether the client is gone, so that nobody waits for an answer any more. */
  readonly isGone: boolean;
  /** The distributed trace that the request is part of; for `traceHeaders` of calls to other services. */
  readonly trace: TraceContext;
  /** Where those who work for the request note what is worth to be observed of it. */
  readonly observed: ObservedRequest;
  /** The address of the client, as trusted proxies tell it. */
  readonly address: string;
}
