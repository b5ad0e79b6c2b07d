import type { Observation, ObservationKind, ObservationOf } from './observation.js';

/** Makes something of observations: lines, numbers, spans. It must be quick, and must not throw. */
export interface ObservationSink {
  /** Asked once for each kind; it is given no others. */
  wants(kind: ObservationKind): boolean;
  observe(observation: Observation): void;
}

/** What a sink does with the kinds that it wants. */
export type ObservationHandlers = {
  readonly [Kind in ObservationKind]?: (observation: ObservationOf<Kind>) => void;
};

/** A sink with a function for each kind that it wants. */
export function createSink(handlers: ObservationHandlers): ObservationSink {
  const handle = <Kind extends ObservationKind>(kind: Kind, observation: ObservationOf<Kind>): void =>
    handlers[kind]?.(observation);
  return {
    wants: (kind) => handlers[kind] !== undefined,
    observe: (observation) => handle(observation.kind, observation),
  };
}

/**
 * Takes observations and gives them to the sinks that want them. Where none does, observing costs a look-up. Also the
 * injection token: there is one for each application.
 */
export class Observer {
  private readonly sinks: ObservationSink[] = [];
  private readonly failed = new WeakSet<ObservationSink>();
  private readonly wanting = new Map<ObservationKind, readonly ObservationSink[]>();

  constructor(sinks: readonly ObservationSink[] = []) {
    this.sinks.push(...sinks);
  }

  add(sink: ObservationSink): void {
    this.sinks.push(sink);
    this.wanting.clear();
  }

  observe(observation: Observation): void {
    for (const sink of this.wanting.get(observation.kind) ?? this.findWanting(observation.kind)) {
      try {
        sink.observe(observation);
      } catch (error) {
        this.tellOnce(sink, error);
      }
    }
  }

  /** What is observed must not suffer from who looks, and one that always fails must not fill the log. */
  private tellOnce(sink: ObservationSink, error: unknown): void {
    if (this.failed.has(sink)) return;
    this.failed.add(sink);
    process.emitWarning(error instanceof Error ? error : String(error));
  }

  private findWanting(kind: ObservationKind): readonly ObservationSink[] {
    const sinks = this.sinks.filter((sink) => sink.wants(kind));
    this.wanting.set(kind, sinks);
    return sinks;
  }
}
