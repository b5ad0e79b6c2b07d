import type { DataType } from '@plinth/schema';
import { RAISED_STATE } from '../compile/raise.js';
import { isFullyValidated } from '../validate/type-validators.js';
import type { FieldProblemCode } from '../write-error.js';
import { translateConstraint } from './constraint-problems.js';
import type { DatabaseErrorLike, DatabaseProblem } from './database-problem.js';
import { fieldProblems, problem, type FailureContext } from './failure-context.js';
import { translateRaised } from './raised-problems.js';

/** What a statement fails with when it was compiled for a schema that is no more. */
const SCHEMA_STATES = new Set([
  '42P01',
  '42703',
  '42883',
  '42704',
  '42804',
  '42846',
  '3F000',
  '42P10',
  '42701',
]);

/** Where `RAISE` in PL/pgSQL reports from. */
const RAISE_ROUTINE = 'exec_stmt_raise';

/**
 * Says what an error of PostgreSQL means to the client. Every class of SQLSTATE has its answer: a client's mistake is
 * never an internal error, and an internal error never tells of SQL.
 */
export function translateDatabaseError(error: DatabaseErrorLike, context: FailureContext): DatabaseProblem {
  const { code, message } = error;
  if (code === RAISED_STATE) return translateRaised(error, context);
  const kind = code.slice(0, 2);
  if (kind === '23' || code === '44000') return translateConstraint(error, context);
  if (kind === '22') return translateValue(error, context);
  if (kind === '54') {
    return problem('value-rejected', 'A value is too large for the database.', { isOfOneRecord: true });
  }
  if (code === '428C9') {
    return problem('invalid-record', 'A field that the database sets itself cannot be set.', {
      retry: 'schema',
    });
  }
  if (code === 'P0001') {
    // Whoever wrote RAISE EXCEPTION into a trigger wrote it for the one whose data is refused.
    return problem('value-rejected', message, { isOfOneRecord: true });
  }
  if (SCHEMA_STATES.has(code) || (code === '0A000' && message.includes('cached plan'))) {
    return problem('internal-error', 'The schema changed while the request ran.', { retry: 'schema' });
  }
  return translateCondition(error);
}

/** Errors that no value of the request is the reason of. */
function translateCondition({ code, message, routine }: DatabaseErrorLike): DatabaseProblem {
  const kind = code.slice(0, 2);
  if (code === '42501') return translatePermission(message);
  if (kind === '40') {
    const detail = 'Another transaction changed the same records at the same time. Try again.';
    return problem('serialization-failure', detail, { retry: 'transaction' });
  }
  if (code === '55P03')
    return problem('lock-timeout', 'Another request holds these records. Try again soon.');
  if (code === '57014') return problem('statement-timeout', 'The database took too long and was stopped.');
  if (code === '25006') {
    return problem('database-unavailable', 'The database does not take writes now.', {
      operatorHint: 'The connection is read-only: DATABASE_URL must lead to the primary server.',
    });
  }
  if (kind === '08' || kind === '53' || kind === '57' || code === '25P03') {
    return problem('database-unavailable', 'The database cannot be reached; try again soon.', {
      operatorHint: kind === '53' ? `The database server is out of resources: ${message}` : null,
    });
  }
  return problem('internal-error', 'Something went wrong on our side.', {
    // What somebody's own function says may hold values of the record, which are not for the log.
    operatorHint:
      routine === RAISE_ROUTINE
        ? `${code}: raised by a function of the database, in whose own log the text is`
        : `${code}: ${message}`,
  });
}

function translatePermission(message: string): DatabaseProblem {
  // Row-level security of the database's owner, which applies beside Plinth's rules.
  if (message.includes('row-level security')) {
    return problem('check-failed', 'The record would break an access rule of the database.', {
      isOfOneRecord: true,
    });
  }
  return problem('database-permission', 'The database role of the server lacks a grant for this.', {
    operatorHint: `${message}: GRANT the missing privilege to the role that Plinth connects as.`,
  });
}

const VALUE_FAULTS: Readonly<Record<string, readonly [FieldProblemCode, string]>> = {
  '22001': ['too-long', 'is too long'],
  '22003': ['out-of-range', 'is out of range'],
  '22007': ['format', 'is not a valid date or time'],
  '22008': ['out-of-range', 'is a date or time out of range'],
  '22015': ['out-of-range', 'is a duration out of range'],
  '22021': ['invalid-text', 'has a character that the database cannot hold'],
  '22P02': ['format', 'is not of the form that the type wants'],
  '22P05': ['invalid-text', 'has a character that the database cannot hold'],
  '2200F': ['too-short', 'must not be empty'],
};

/**
 * A value that passed our checks and not PostgreSQL's: of a type that we do not check to the end. The message names the
 * type at best; the field is told where no other one can be meant.
 */
function translateValue(error: DatabaseErrorLike, context: FailureContext): DatabaseProblem {
  const [code, message] = VALUE_FAULTS[error.code] ?? ['rejected', 'was refused by the database'];
  const loose = [...context.sentFields].filter((name) => {
    const type = context.collection.fields.get(name)?.type;
    return type !== undefined && !isFullyValidated(type);
  });
  const named = loose.filter((name) => {
    const type = context.collection.fields.get(name)?.type;
    return (
      type !== undefined && typeNames(type).some((typeName) => error.message.includes(` type ${typeName}`))
    );
  });
  const candidates = named.length > 0 ? named : loose;
  const errors = candidates.length === 1 ? fieldProblems(context, candidates, code, message) : [];
  return problem('value-rejected', `A value ${message}.`, { errors, isOfOneRecord: true });
}

/** The type and those that it is made of. */
function typeNames(type: DataType): readonly string[] {
  switch (type.kind) {
    case 'domain':
      return typeNames(type.base);
    case 'array':
      return typeNames(type.element);
    case 'range':
    case 'multirange':
      return [type.castSql, ...typeNames(type.subtype)];
    default:
      return [type.castSql];
  }
}
