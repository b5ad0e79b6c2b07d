import { suggestName } from '@plinth/expression';
import type { Collection, Field } from '@plinth/schema';
import {
  describeNode,
  ExactNumber,
  isJsonArray,
  isJsonObject,
  type JsonNode,
  type JsonObjectNode,
} from '../json-node.js';
import { pointerStep, ProblemList, WriteError } from '../write-error.js';
import { isNotNullType, typeValidator } from './type-validators.js';
import { PointerPlace, type ValueValidator } from './value-validator.js';

export interface RecordValidatorOptions {
  readonly collection: Collection;
  /** Fields that the caller may send. Any other name is unknown to it, whether it exists or not. */
  readonly writable: ReadonlySet<string>;
  /** Fields that get a value from elsewhere: a preset, the path. */
  readonly supplied: ReadonlySet<string>;
  /** Whether what the row needs must be sent. */
  readonly isComplete: boolean;
  /** Whether the path says what the key is, so that a body must not say otherwise. */
  readonly isKeyFixed: boolean;
}

/** The path's key, as texts by field; a body may repeat it, and must not contradict it. */
export type PathKey = ReadonlyMap<string, string>;

/** Every name of a wide table is compared with what was sent. */
const MAX_HINTS = 10;

interface FieldRule {
  readonly validate: ValueValidator;
  readonly isNotNull: boolean;
  readonly isReadOnly: boolean;
}

/** Checks the records of bodies; made once for a collection, an action and a set of rules. */
export class RecordValidator {
  private readonly rules = new Map<string, FieldRule>();
  private readonly required: readonly string[];

  constructor(private readonly options: RecordValidatorOptions) {
    const { collection, writable, supplied, isComplete } = options;
    for (const name of writable) {
      const field = collection.fields.get(name);
      if (!field) continue;
      this.rules.set(name, {
        validate: typeValidator(field.type),
        isNotNull: !field.nullable || isNotNullType(field.type),
        isReadOnly: !field.writable,
      });
    }
    this.required = isComplete
      ? [...collection.fields.values()]
          .filter((field) => isRequired(field) && writable.has(field.name) && !supplied.has(field.name))
          .map((field) => field.name)
      : [];
  }

  /**
   * Checks one record. Gives its fields as they are to be stored: the same map when nothing had to change.
   * @param pointer of the record in the body: empty, or `/731`
   */
  validate(node: JsonNode, pointer: string, problems: ProblemList, pathKey?: PathKey): JsonObjectNode {
    if (!isJsonObject(node)) {
      problems.add(pointer, 'type', `must be an object, not ${describeNode(node)}`);
      return new Map();
    }
    const changes = new Map<string, JsonNode | undefined>();
    for (const [name, value] of node) {
      // Nothing more would be told, and there may be a million of them.
      if (problems.isFull) break;
      const pathValue = pathKey?.get(name);
      if (pathValue !== undefined && isSameKey(value, pathValue)) changes.set(name, undefined);
      else if (pathValue !== undefined && this.options.isKeyFixed) {
        problems.add(pointer + pointerStep(name), 'key-mismatch', 'must be the same as in the path');
      } else {
        const next = this.validateField(name, value, pointer, problems);
        if (next !== value) changes.set(name, next);
      }
    }
    for (const name of this.required) {
      if (!node.has(name)) problems.add(pointer + pointerStep(name), 'required', 'is required');
    }
    return changes.size === 0 ? node : applyChanges(node, changes);
  }

  private validateField(name: string, value: JsonNode, pointer: string, problems: ProblemList): JsonNode {
    const rule = this.rules.get(name);
    const at = pointer + pointerStep(name);
    if (!rule) {
      const near = problems.size < MAX_HINTS ? suggestName(name, this.sendableNames()) : undefined;
      const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
      problems.add(at, 'unknown-field', `is not a field that can be set${hint}`);
    } else if (rule.isReadOnly) {
      problems.add(at, 'read-only', 'is set by the database');
    } else if (value !== null) {
      return rule.validate(value, new PointerPlace(problems, at));
    } else if (rule.isNotNull) {
      problems.add(at, 'not-null', 'must not be null');
    }
    return value;
  }

  private *sendableNames(): Iterable<string> {
    for (const [name, rule] of this.rules) if (!rule.isReadOnly) yield name;
  }
}

/**
 * Whether a row cannot be without a value for the field. Where the type is a domain, it may have a default of its own,
 * which the catalog does not tell: the database decides.
 */
const isRequired = (field: Field): boolean =>
  !field.nullable &&
  field.writable &&
  field.default === null &&
  field.identity === null &&
  field.generated === null &&
  field.type.kind !== 'domain';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

function isSameKey(value: JsonNode, pathValue: string): boolean {
  if (value instanceof ExactNumber) return value.text === pathValue;
  if (typeof value !== 'string') return JSON.stringify(value) === pathValue;
  if (value === pathValue) return true;
  return UUID.test(value) && value.toLowerCase() === pathValue.toLowerCase();
}

function applyChanges(
  node: JsonObjectNode,
  changes: ReadonlyMap<string, JsonNode | undefined>,
): JsonObjectNode {
  const changed = new Map(node);
  for (const [name, value] of changes) {
    if (value === undefined) changed.delete(name);
    else changed.set(name, value);
  }
  return changed;
}

/** The records of a body, each with its place, whether there is one or an array of them. */
export interface BodyRecords {
  readonly isArray: boolean;
  readonly nodes: readonly JsonNode[];
  readonly pointer: (index: number) => string;
}

/** @throws WriteError `invalid-body` when the body is neither an object nor a non-empty array */
export function listBodyRecords(root: JsonNode): BodyRecords {
  if (isJsonArray(root)) {
    if (root.length === 0) throw new WriteError('invalid-body', 'The array has no records.');
    return { isArray: true, nodes: root, pointer: (index) => `/${index}` };
  }
  if (!isJsonObject(root)) {
    throw new WriteError(
      'invalid-body',
      `The body must be an object or an array of objects, not ${describeNode(root)}.`,
    );
  }
  return { isArray: false, nodes: [root], pointer: () => '' };
}
