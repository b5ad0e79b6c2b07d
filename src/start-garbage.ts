import { Session } from 'node:inspector';

/**
 * Collects what starting has left behind, some 30 MB of modules' texts and metadata that are read once: V8 would keep them
 * until as much has come anew, which on a quiet server is never. Holds the process up for a moment.
 */
export function collectStartGarbage(): void {
  const session = new Session();
  session.connect();
  // There is nothing to do about a failure: memory is as it would have been.
  session.post('HeapProfiler.collectGarbage', () => {
    // Not at once: V8 holds the session's lock while it calls back, and would wait for itself.
    setImmediate(() => session.disconnect());
  });
}
