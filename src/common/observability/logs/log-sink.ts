import type { Observation, ObservationKind, ObservationOf } from '../observation.js';
import type { ObservationSink } from '../observer.js';
import { LOG_LINES, type LogLine } from './log-lines.js';
import type { Logger } from './logger.js';

/** Writes observations as log lines: `event` has their stable name, and lines of a request its ids. */
export class LogSink implements ObservationSink {
  constructor(private readonly logger: Logger) {}

  wants(kind: ObservationKind): boolean {
    return LOG_LINES[kind] !== undefined;
  }

  observe(observation: Observation): void {
    this.write(observation.kind, observation);
  }

  private write<Kind extends ObservationKind>(kind: Kind, observation: ObservationOf<Kind>): void {
    const line: LogLine<Kind> | undefined = LOG_LINES[kind];
    if (line === undefined) return;
    const { kind: _kind, ...members } = observation;
    const data = line.data === undefined ? members : line.data(observation);
    this.logger[line.level]({ event: kind, ...idsOf(observation), ...data }, line.message);
  }
}

/** What ties a line to its request and to its trace. */
function idsOf(observation: object): object {
  const { request } = observation as Partial<ObservationOf<'request.finished'>>;
  return request == null ? {} : { requestId: request.id, traceId: request.trace.traceId };
}
