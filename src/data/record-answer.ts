import type { Readable } from 'node:stream';

/** The answer to a request for records, before it is an HTTP answer: kept, replayed and sent as it is. */
export interface RecordAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text as the database built it; null for an empty answer. */
  readonly body: string | null;
}

/** An answer that is sent while it is made. */
export interface StreamedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}
