import type { QueryLimits } from '../limits.js';
import { readInteger, type Parameters } from '../parse/parameters.js';
import type { LimitPlan } from './selection-plan.js';

const USUAL_LIMITS: ReadonlySet<number> = new Set([
  1, 2, 3, 5, 10, 12, 15, 20, 24, 25, 30, 40, 50, 100, 200, 250, 500, 1000,
]);

/** Plans the limit that is given as the parameter `name`. Throws `QueryError` (`invalid-limit`). */
export function planLimit(parameters: Parameters, name: string, limits: QueryLimits): LimitPlan {
  const rows = readLimit(parameters, name, limits);
  return rows === limits.defaultLimit || USUAL_LIMITS.has(rows)
    ? { kind: 'inline', rows }
    : { kind: 'bound', input: name };
}

export const readLimit = (parameters: Parameters, name: string, limits: QueryLimits): number =>
  readInteger(parameters, name, { min: 1, max: limits.maxLimit, code: 'invalid-limit' }) ??
  limits.defaultLimit;

/** What of a limit's value belongs to the shape of a request: all of it where it is inlined. */
export function limitShape(parameters: Parameters, name: string, limits: QueryLimits): string {
  const plan = planLimit(parameters, name, limits);
  return plan.kind === 'inline' ? String(plan.rows) : '?';
}
