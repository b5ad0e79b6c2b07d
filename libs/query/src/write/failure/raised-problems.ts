import type { RaisedCode } from '../compile/raise.js';
import type { FieldProblemCode } from '../write-error.js';
import type { DatabaseErrorLike, DatabaseProblem, DatabaseProblemType } from './database-problem.js';
import { problem, type FailureContext } from './failure-context.js';

interface Refusal {
  readonly type: DatabaseProblemType;
  readonly detail: string;
  /** What is said of the record at fault, where there are many. */
  readonly record?: readonly [FieldProblemCode, string];
}

const REFUSALS: Readonly<Record<RaisedCode, Refusal>> = {
  'check-failed': {
    type: 'check-failed',
    detail: 'The record would break an access rule; nothing was changed.',
    record: ['check-failed', 'would break an access rule'],
  },
  forbidden: {
    type: 'forbidden',
    detail: 'You may not change this record; nothing was changed.',
    record: ['forbidden', 'is a record that you may not change'],
  },
  'precondition-failed': {
    type: 'precondition-failed',
    detail: 'The record is not the one that the precondition asks for.',
  },
  'not-found': { type: 'not-found', detail: 'There is no such record.' },
  // The same as what creating the record would have met.
  conflict: {
    type: 'unique-violation',
    detail: 'A unique value is taken.',
    record: ['unique', 'has a key that is taken'],
  },
  'duplicate-key': {
    type: 'invalid-record',
    detail: 'Two records of the body have the same key.',
    record: ['unique', 'has the same key as another record of the body'],
  },
  'too-many-rows': {
    type: 'query-too-complex',
    detail: 'The filter finds more records than one request may change.',
  },
  retry: {
    type: 'serialization-failure',
    detail: 'Another request created the same record at the same time. Try again.',
  },
};

const isRaisedCode = (text: string): text is RaisedCode => Object.hasOwn(REFUSALS, text);

/** A statement of ours that ended itself: the code is the message, the detail is the place of the record. */
export function translateRaised(
  { message, detail }: DatabaseErrorLike,
  context: FailureContext,
): DatabaseProblem {
  if (!isRaisedCode(message)) return problem('internal-error', 'Something went wrong on our side.');
  const refusal = REFUSALS[message];
  const index = detail !== undefined && /^\d+$/.test(detail) ? Number(detail) : null;
  const isInBody = index !== null && index < context.records && refusal.record !== undefined;
  return problem(refusal.type, refusal.detail, {
    retry: message === 'retry' ? 'statement' : null,
    errors:
      isInBody && refusal.record
        ? [{ pointer: context.pointer(index), code: refusal.record[0], message: refusal.record[1] }]
        : [],
  });
}
