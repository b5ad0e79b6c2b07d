import { appendFileSync } from 'node:fs';

/** Whether the tests run at full length (`npm run test:faults`, `npm run test:attack`) or shortened, as in `npm test`. */
export const isLongRun = process.env['PLINTH_LONG_RUN'] === 'yes';

/** Of everything random; printed by the runner, or fixed where the run is a short one. */
export const SEED = Number(process.env['PLINTH_LONG_RUN_SEED'] ?? 20_261_129);

/** How often to do it. */
export function times({ short, long }: { readonly short: number; readonly long: number }): number {
  const asked = process.env['PLINTH_LONG_RUN_TIMES'];
  return asked ? Number(asked) : isLongRun ? long : short;
}

/** Tells what a test found, for the runner to print at its end. */
export function tellFigures(name: string, figures: Readonly<Record<string, number | string>>): void {
  const file = process.env['PLINTH_LONG_RUN_FIGURES'];
  if (file) appendFileSync(file, `${JSON.stringify({ name, figures })}\n`);
}

/** Milliseconds at a share of sorted durations, such as 0.99; 0 of none. */
export function quantile(durationsMs: readonly number[], share: number): number {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
