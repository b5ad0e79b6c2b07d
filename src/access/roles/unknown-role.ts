import { QueryFailedError } from 'typeorm';
import { Problem, type ProblemDetail } from '../../common/errors/index.js';

const FOREIGN_KEY_VIOLATION = '23503';

/** Whether the database refused a role that is not there. */
export const isForeignKeyViolation = (error: unknown): boolean =>
  error instanceof QueryFailedError &&
  (error.driverError as { code?: string }).code === FOREIGN_KEY_VIOLATION;

/** One or more names that are no roles, at the place where they were given. */
export function unknownRole(pointer: string, names: readonly string[], cause?: unknown): Problem {
  return refusal([{ pointer, code: 'unknown-role', message: describe(names) }], cause);
}

/** @throws Problem `invalid-request` with a pointer to each name that is not a role */
export function refuseUnknownRoles(
  names: readonly string[],
  pointer: string,
  known: { hasRole(name: string): boolean },
): void {
  const errors = names.flatMap((name, index) =>
    known.hasRole(name)
      ? []
      : [{ pointer: `${pointer}/${index}`, code: 'unknown-role', message: describe([name]) }],
  );
  if (errors.length > 0) throw refusal(errors);
}

const describe = (names: readonly string[]): string =>
  `names no role: ${names.map((name) => JSON.stringify(name)).join(', ')}`;

const refusal = (errors: readonly ProblemDetail[], cause?: unknown): Problem =>
  new Problem('invalid-request', {
    detail: errors.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '),
    errors,
    cause,
  });
