import { traceHeaders, type RequestContext } from '../../../src/index.js';

/** Calls another service, which goes on in the request's trace. */
export function callService({ trace }: RequestContext, url: string): Promise<Response> {
  return fetch(url, { headers: traceHeaders(trace) });
}
