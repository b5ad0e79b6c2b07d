import { MICROS_PER_DAY } from './instant.js';

/**
 * A duration as PostgreSQL keeps it: months, days and microseconds apart. Two are compared, here as there, as if a month
 * had 30 days and a day 24 hours; a timestamp moves by calendar months, then by days, then by the rest.
 */
export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}

const INFINITE_MICROS = 10n ** 30n;

const ISO_DURATION =
  /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d{1,6}))?S)?)?$/;

/** An interval as `to_json` prints it under `IntervalStyle = iso_8601`; null where the text is none. */
export function parseInterval(text: string): Interval | null {
  if (text === 'infinity') return { months: 0, days: 0, micros: INFINITE_MICROS };
  if (text === '-infinity') return { months: 0, days: 0, micros: -INFINITE_MICROS };
  const match = ISO_DURATION.exec(text);
  if (match === null) return null;
  const [
    ,
    years = '0',
    months = '0',
    weeks = '0',
    days = '0',
    hours = '0',
    minutes = '0',
    sign = '',
    seconds = '0',
    fraction = '',
  ] = match;
  const secondMicros = BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return {
    months: Number(years) * 12 + Number(months),
    days: Number(weeks) * 7 + Number(days),
    micros:
      BigInt(hours) * 3_600_000_000n +
      BigInt(minutes) * 60_000_000n +
      (sign === '-' ? -secondMicros : secondMicros),
  };
}

export const isFiniteInterval = (interval: Interval): boolean =>
  interval.micros !== INFINITE_MICROS && interval.micros !== -INFINITE_MICROS;

/** What intervals are compared by. */
export const comparableMicros = (interval: Interval): bigint =>
  BigInt(interval.months * 30 + interval.days) * MICROS_PER_DAY + interval.micros;

/** `[-]HH:MM:SS.ffffff` with as many hours as it takes, which PostgreSQL reads as an interval without days. */
export function formatIntervalMicros(micros: bigint): string {
  const magnitude = micros < 0n ? -micros : micros;
  const seconds = magnitude / 1_000_000n;
  const pad = (value: bigint, width: number): string => value.toString().padStart(width, '0');
  const time = `${pad(seconds / 3600n, 2)}:${pad((seconds / 60n) % 60n, 2)}:${pad(seconds % 60n, 2)}`;
  return `${micros < 0n ? '-' : ''}${time}.${pad(magnitude % 1_000_000n, 6)}`;
}
