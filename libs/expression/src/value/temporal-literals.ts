import { ExpressionError, type TextRange } from '../expression-error.js';
import { isCivilInstant, parseInstant } from './instant.js';

const RFC_3339 = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?$/;

function refuseLiteral(message: string, position: TextRange): ExpressionError {
  return new ExpressionError('bad-literal', message, { start: position.start, end: position.end });
}

/** Drops zeros that say nothing; what is left beyond microseconds would have to be rounded. */
function trimFraction(text: string, position: TextRange): string {
  const trimmed = text.replace(/(\.\d*?)0+(?=\D*$|[+-]\d\d:\d\d$)/, '$1').replace(/\.(?=\D|$)/, '');
  if (/\.\d{7,}/.test(trimmed))
    throw refuseLiteral('Times are exact to a microsecond, not beyond.', position);
  return trimmed;
}

/**
 * The instant that the text of `timestamp("...")` names: RFC 3339, or a date alone for its midnight in UTC.
 *
 * @throws ExpressionError `bad-literal` where it names none in the years 1 to 9999.
 */
export function parseTimestampLiteral(text: string, position: TextRange): bigint {
  const normal = text.toUpperCase();
  const isWellFormed = RFC_3339.test(normal) && !/T(?:24|\d\d:\d\d:60)/.test(normal);
  const instant = isWellFormed ? parseInstant(trimFraction(normal, position)) : null;
  if (instant === null || !isCivilInstant(instant)) {
    throw refuseLiteral(
      `${JSON.stringify(text)} is not a time; write one as "2026-01-31T12:00:00Z" or "2026-01-31".`,
      position,
    );
  }
  return instant;
}

/** In nanoseconds. */
const UNITS: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ns: 1n,
};

const DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+)$/;
const DURATION_PART = /(\d*)\.?(\d*)(h|ms|m|s|us|µs|μs|ns)/g;
const MAX_DURATION_MICROS = 315_576_000_000n * 1_000_000n;
const MAX_DURATION_LENGTH = 64;

/**
 * The microseconds that the text of `duration("...")` names: `24h`, `1h30m`, `-1.5s`, `250ms`.
 *
 * @throws ExpressionError `bad-literal` where it names none, more than 10,000 years, or parts of a microsecond.
 */
export function parseDurationLiteral(text: string, position: TextRange): bigint {
  const refused = refuseLiteral(
    `${JSON.stringify(text)} is not a duration; write one as "24h" or "1h30m".`,
    position,
  );
  if (text.length > MAX_DURATION_LENGTH || !DURATION.test(text)) throw refused;
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = 's'] of text.matchAll(DURATION_PART)) {
    const scale = 10n ** BigInt(fraction.length);
    const scaled = BigInt(`${whole}${fraction}`) * (UNITS[unit] ?? 1n);
    if (scaled % scale !== 0n)
      throw refuseLiteral('Durations are exact to a microsecond, not beyond.', position);
    nanos += scaled / scale;
  }
  if (nanos % 1000n !== 0n)
    throw refuseLiteral('Durations are exact to a microsecond, not beyond.', position);
  const micros = nanos / 1000n;
  if (micros > MAX_DURATION_MICROS) throw refused;
  return text.startsWith('-') ? -micros : micros;
}
