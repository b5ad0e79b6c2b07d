/**
 * Points in time as whole microseconds since 1970-01-01T00:00:00Z, in the proleptic Gregorian calendar, as PostgreSQL
 * counts them; `infinity` and `-infinity` are values far beyond any other.
 */
export const POSITIVE_INFINITY_INSTANT = 10n ** 30n;
const NEGATIVE_INFINITY_INSTANT = -POSITIVE_INFINITY_INSTANT;

export const MICROS_PER_DAY = 86_400_000_000n;

const DAYS_PER_ERA = 146_097;

/** Days since 1970-01-01 of a date; `year` is astronomical (0 is 1 BC). After Howard Hinnant's `days_from_civil`. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - 719_468;
}

export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The date of a day since 1970-01-01. After Howard Hinnant's `civil_from_days`. */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export function daysInMonth(year: number, month: number): number {
  const next = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1);
  return next - daysFromCivil(year, month, 1);
}

/** Whole days since 1970-01-01, and the microseconds into that day. */
export function splitInstant(instant: bigint): { readonly days: number; readonly micros: bigint } {
  const remainder = instant % MICROS_PER_DAY;
  const micros = remainder < 0n ? remainder + MICROS_PER_DAY : remainder;
  return { days: Number((instant - micros) / MICROS_PER_DAY), micros };
}

const FIRST_INSTANT = BigInt(daysFromCivil(1, 1, 1)) * MICROS_PER_DAY;
const LAST_INSTANT = BigInt(daysFromCivil(10_000, 1, 1)) * MICROS_PER_DAY - 1n;

/** The last that a PostgreSQL timestamp can be; a date can be later. */
export const LAST_STORABLE_INSTANT = BigInt(daysFromCivil(294_277, 1, 1)) * MICROS_PER_DAY - 1n;

/** Years 1 to 9999: where CEL computes with timestamps. */
export const isCivilInstant = (instant: bigint): boolean =>
  instant >= FIRST_INSTANT && instant <= LAST_INSTANT;

const WIRE_TIMESTAMP =
  /^(\d{4,7})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?(?::\d\d)?)?( BC)?$/;

function offsetMicros(offset: string | undefined): bigint {
  if (offset === undefined || offset === 'Z') return 0n;
  const digits = offset.slice(1).replaceAll(':', '').padEnd(6, '0');
  const seconds =
    Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6));
  return BigInt(offset.startsWith('-') ? -seconds : seconds) * 1_000_000n;
}

/**
 * A date or timestamp as `to_json` prints it, midnight UTC for dates, UTC where it names no offset. Null where the text
 * is none.
 */
export function parseInstant(text: string): bigint | null {
  if (text === 'infinity') return POSITIVE_INFINITY_INSTANT;
  if (text === '-infinity') return NEGATIVE_INFINITY_INSTANT;
  const match = WIRE_TIMESTAMP.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset, era] = match;
  const [monthNumber, dayNumber] = [Number(month), Number(day)];
  const astronomical = era === undefined ? Number(year) : 1 - Number(year);
  const isDate = monthNumber >= 1 && monthNumber <= 12 && dayNumber >= 1;
  if (!isDate || dayNumber > daysInMonth(astronomical, monthNumber)) return null;
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60) return null;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const micros = BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return (
    BigInt(daysFromCivil(astronomical, monthNumber, dayNumber)) * MICROS_PER_DAY +
    micros -
    offsetMicros(offset)
  );
}

const pad = (value: number | bigint, width: number): string => value.toString().padStart(width, '0');

/** RFC 3339 in UTC, without trailing zeros in the fraction; only for years 1 to 9999. */
export function formatInstant(instant: bigint): string {
  const { days, micros } = splitInstant(instant);
  const { year, month, day } = civilFromDays(days);
  const seconds = micros / 1_000_000n;
  const time = `${pad(seconds / 3600n, 2)}:${pad((seconds / 60n) % 60n, 2)}:${pad(seconds % 60n, 2)}`;
  const fraction = pad(micros % 1_000_000n, 6).replace(/0+$/, '');
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${time}${fraction === '' ? '' : `.${fraction}`}Z`;
}
