import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Where a request stands in a distributed trace, after W3C Trace Context. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits: what further calls name as their parent. */
  readonly spanId: string;
  /** Whether the trace is being recorded. */
  readonly isSampled: boolean;
  /** What `tracestate` says to others, as it came; null where it says nothing. */
  readonly state: string | null;
}

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const FORBIDDEN_VERSION = 'ff';
const SAMPLED = 1;

/** The trace that a request's headers continue; null where they name none, or one that the standard says to ignore. */
export function parseTrace(headers: IncomingHttpHeaders): TraceContext | null {
  const { traceparent } = headers;
  if (typeof traceparent !== 'string') return null;
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === FORBIDDEN_VERSION) return null;
  // What later versions put behind is not known and not in the way; this one has nothing there.
  if (version === '00' && rest !== undefined) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { traceId, spanId, isSampled, state: parseState(headers['tracestate']) };
}

/** A trace that begins here and that nobody records: its id still ties log lines and further calls together. */
export function startTrace(): TraceContext {
  const bytes = randomBytes(24).toString('hex');
  return { traceId: bytes.slice(0, 32), spanId: bytes.slice(32), isSampled: false, state: null };
}

/** The headers that let another service continue the trace. */
export function traceHeaders({ traceId, spanId, isSampled, state }: TraceContext): Record<string, string> {
  const traceparent = `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
  return state === null ? { traceparent } : { traceparent, tracestate: state };
}

const MAX_MEMBERS = 32;
const MEMBER =
  /^(?:[a-z][a-z\d_\-*/]{0,255}|[a-z\d][a-z\d_\-*/]{0,240}@[a-z][a-z\d_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** A malformed list is left out as a whole; the trace goes on without it. */
function parseState(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const members = [header]
    .flat()
    .flatMap((line) => line.split(','))
    .map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > MAX_MEMBERS) return null;
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf('='))));
  const isValid = keys.size === members.length && members.every((member) => MEMBER.test(member));
  return isValid ? members.join(',') : null;
}
