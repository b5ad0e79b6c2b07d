import type { Type } from '@nestjs/common';

/** What a job is told of the run that it is in. */
export interface JobContext {
  readonly id: string;
  /** The first is 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Aborted where the server stops and does not wait any longer: the job is tried again elsewhere. */
  readonly signal: AbortSignal;
}

/**
 * A kind of background job. Extend it, make it a provider of a module, and it is found at the start; `Jobs.enqueue` takes
 * the class. A job is run at least once: what it does may have been done before by a process that died.
 */
export abstract class JobDefinition<Payload extends object = object> {
  /** Stable for ever: jobs in the database carry it. */
  abstract readonly name: string;
  /** A class whose members are checked by class-validator, when a job is put in the queue and when it is taken out. */
  abstract readonly payload: Type<Payload>;
  /** Between them the wait grows from three seconds to six hours. */
  readonly maxAttempts: number = 10;
  /** Lower ones go first. */
  readonly priority: number = 0;
  /** A crontab schedule of five fields, in UTC, at which a job with the payload `{}` is put in the queue; null for none. */
  readonly schedule: string | null = null;
  /** Whether the payload holds secrets: it is encrypted in the database then, and shown to nobody. */
  readonly isSealed: boolean = false;

  /** A job that throws is tried again, unless it throws a `PermanentFailure`. */
  abstract run(payload: Payload, context: JobContext): Promise<void>;
}

/** Thrown by a job that would fail again however often it were tried. */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure';
}
