import { failType, patternValidator, stringValidator, type ValueValidator } from './value-validator.js';

const DATE = String.raw`(\d{4,7})-(\d\d)-(\d\d)`;
const TIME = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?`;
const OFFSET = String.raw`(Z|z|[+-]\d\d(?::?\d\d)?)`;
const DATE_ONLY = new RegExp(String.raw`^${DATE}( BC)?$`);
const DATE_AND_TIME = new RegExp(String.raw`^${DATE}[Tt ]${TIME}${OFFSET}?( BC)?$`);
const TIME_ONLY = new RegExp(`^${TIME}$`);
const TIME_AND_OFFSET = new RegExp(`^${TIME}${OFFSET}$`);

const MAX_TIMESTAMP_YEAR = 294_276;
const MAX_DATE_YEAR = 5_874_897;
/** The first day that PostgreSQL knows is in November of this year; earlier months of it are refused by the database. */
const MAX_YEAR_BC = 4713;

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysOfMonth(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}

interface DateParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

function findDate(match: RegExpExecArray, isBC: boolean, maxYear: number): DateParts | null {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < 1 || year > (isBC ? MAX_YEAR_BC : maxYear)) return null;
  // 1 BC is the astronomical year 0.
  return day >= 1 && day <= daysOfMonth(isBC ? 1 - year : year, month) ? { year, month, day } : null;
}

const isTime = (hour: string, minute: string, second = '00'): boolean =>
  Number(minute) < 60 &&
  // A leap second is read as the next minute's first, as PostgreSQL does it.
  (Number(hour) < 24 ? Number(second) <= 60 : hour === '24' && Number(minute) === 0 && Number(second) === 0);

function offsetMinutes(offset: string): number | null {
  if (offset === 'Z' || offset === 'z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(':', '') || '0');
  if (hours > 15 || minutes > 59) return null;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

const INFINITIES = new Set(['infinity', '-infinity']);

/** `2026-03-01`; also `infinity` and years BC in the way PostgreSQL writes them. */
export const dateValidator: ValueValidator = stringValidator('a date', (text) => {
  const match = DATE_ONLY.exec(text);
  const isDate = match !== null && findDate(match, match[4] !== undefined, MAX_DATE_YEAR) !== null;
  return isDate || INFINITIES.has(text)
    ? null
    : { code: 'format', message: 'must be a date such as 2026-03-01' };
});

/**
 * A point in time. With a time zone in the column the text must have an offset: a time that does not say where it was
 * is the classic way to be hours off. Without one in the column an offset is accounted for, because PostgreSQL would
 * drop it and shift the time.
 */
export function timestampValidator(hasZone: boolean): ValueValidator {
  const example = hasZone ? '2026-03-01T12:30:00Z' : '2026-03-01T12:30:00';
  return (value, place) => {
    if (typeof value !== 'string') return failType(value, place, 'a date and time');
    if (INFINITIES.has(value)) return value;
    const match = DATE_AND_TIME.exec(value);
    const date = match && findDate(match, match[9] !== undefined, MAX_TIMESTAMP_YEAR);
    const [hour = '', minute = '', second] = match?.slice(4) ?? [];
    const offset = match?.[8];
    const shift = offset === undefined ? 0 : offsetMinutes(offset);
    if (!match || !date || shift === null || !isTime(hour, minute, second)) {
      place.fail('format', `must be a date and time such as ${example}`);
      return value;
    }
    if (hasZone && offset === undefined) {
      place.fail('format', `must name its offset from UTC, as in ${example}`);
      return value;
    }
    if (hasZone || shift === 0) return value;
    return shiftToUtc(value, match, date, shift);
  };
}

/** The same moment without an offset, for a column that has none and holds UTC. */
function shiftToUtc(text: string, match: RegExpExecArray, date: DateParts, shift: number): string {
  if (match[9] !== undefined) return text;
  const moment = new Date(0);
  moment.setUTCFullYear(date.year, date.month - 1, date.day);
  moment.setUTCHours(Number(match[4]), Number(match[5]) - shift, Number(match[6] ?? '0'));
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${String(moment.getUTCFullYear()).padStart(4, '0')}-${two(moment.getUTCMonth() + 1)}-${two(moment.getUTCDate())}`;
  const time = `${two(moment.getUTCHours())}:${two(moment.getUTCMinutes())}:${two(moment.getUTCSeconds())}`;
  return `${day}T${time}${match[7] === undefined ? '' : `.${match[7]}`}`;
}

export function timeValidator(hasZone: boolean): ValueValidator {
  const pattern = hasZone ? TIME_AND_OFFSET : TIME_ONLY;
  const message = `must be a time of day such as ${hasZone ? '12:30:00+02:00' : '12:30:00'}`;
  return stringValidator('a time of day', (text) => {
    const match = pattern.exec(text);
    const isValid =
      match !== null &&
      isTime(match[1] ?? '', match[2] ?? '', match[3]) &&
      (!hasZone || offsetMinutes(match[5] ?? '') !== null);
    return isValid ? null : { code: 'format', message };
  });
}

const AMOUNT = String.raw`[+-]?\d{1,10}(?:\.\d{1,12})?`;

/** ISO 8601 with the signs that PostgreSQL writes: `P1DT2H`, `P-1M`. */
export const intervalValidator: ValueValidator = patternValidator(
  'an ISO 8601 duration such as P1DT2H30M',
  new RegExp(
    `^P(?=[^T]|T.)(?:${AMOUNT}Y)?(?:${AMOUNT}M)?(?:${AMOUNT}W)?(?:${AMOUNT}D)?(?:T(?=.)(?:${AMOUNT}H)?(?:${AMOUNT}M)?(?:${AMOUNT}S)?)?$`,
  ),
);
