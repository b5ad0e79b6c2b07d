/** Amounts are whole cents while they are reckoned with, and exact texts in rows. */
export const moneyText = (cents: number): string => (cents / 100).toFixed(2);

export const moneyCents = (text: string): number => Math.round(Number(text) * 100);

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** RFC 3339 to the second: people do not order at milliseconds. */
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Lower case, ASCII, words joined by hyphens. */
export function slugText(words: string): string {
  return words
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
