import type { INestApplication } from '@nestjs/common';
import { createSink, Observer } from '../../../src/index.js';

/** Tells failures to whoever shall hear of them. */
export function reportFailures(
  app: INestApplication,
  report: (error: unknown, requestId: string) => void,
): void {
  const sink = createSink({
    'request.failed': ({ request, error }) => report(error, request.id),
  });
  app.get(Observer).add(sink);
}
