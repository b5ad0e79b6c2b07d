import { describeNode, type JsonNode } from '../json-node.js';
import { pointerStep, type FieldProblemCode, type ProblemList } from '../write-error.js';

/** Where a value stands, and where its faults go. */
export interface ValuePlace {
  fail(code: FieldProblemCode, message: string): void;
  /** A part of the value: an array's element, an object's member. */
  child(step: string | number): ValuePlace;
}

/**
 * Checks one value that is not null. Gives the value as PostgreSQL is to read it: the same node unless its spelling has
 * to change (`1.0` for an integer), so that an unchanged body can be passed on as the text that it was.
 */
export type ValueValidator = (value: JsonNode, place: ValuePlace) => JsonNode;

/** A place that is known by its JSON pointer. */
export class PointerPlace implements ValuePlace {
  constructor(
    private readonly problems: ProblemList,
    private readonly pointer: string,
  ) {}

  fail(code: FieldProblemCode, message: string): void {
    this.problems.add(this.pointer, code, message);
  }

  child(step: string | number): ValuePlace {
    return new PointerPlace(this.problems, this.pointer + pointerStep(step));
  }
}

/** Reports a value of the wrong JSON type. */
export function failType(value: JsonNode, place: ValuePlace, wanted: string): JsonNode {
  place.fail('type', `must be ${wanted}, not ${describeNode(value)}`);
  return value;
}

/** A validator of strings: `check` gives what is wrong, or null. */
export const stringValidator =
  (
    wanted: string,
    check: (text: string) => { code: FieldProblemCode; message: string } | null,
  ): ValueValidator =>
  (value, place) => {
    if (typeof value !== 'string') return failType(value, place, wanted);
    const fault = check(value);
    if (fault) place.fail(fault.code, fault.message);
    return value;
  };

/** A validator of strings of one form. */
export const patternValidator = (wanted: string, pattern: RegExp): ValueValidator =>
  stringValidator(wanted, (text) =>
    pattern.test(text) ? null : { code: 'format', message: `must be ${wanted}` },
  );
