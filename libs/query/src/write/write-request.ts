import { suggestName } from '@plinth/expression';
import type { Catalog, Collection, Field } from '@plinth/schema';
import { fieldVisibility, type AccessView, type CollectionAccess } from '../access.js';
import { keyInput } from '../compile/key.js';
import { QueryError } from '../errors.js';
import { parseKeyNames, printKeyNames } from '../parse/key-names.js';
import type { RequestShape } from '../request-shape.js';
import { VERSIONS_INPUT } from './compile/target.js';
import type { JsonNode, JsonObjectNode } from './json-node.js';
import type { MergePrecondition } from './plan/write-plan.js';
import { sendableFields } from './plan/write-permission.js';
import { listBodyRecords, type PathKey, type RecordValidator } from './validate/record-validator.js';
import { pointerStep, ProblemList, WriteError } from './write-error.js';

/**
 * Finds a collection that the caller may do anything with. Throws `QueryError` (`unknown-collection`) for any other
 * name.
 */
export function getWritableCollection(catalog: Catalog, access: AccessView, name: string): Collection {
  const isKnown = (candidate: string): boolean => {
    const rules = access.collection(candidate);
    return rules !== undefined && Object.values(rules).some((list: readonly unknown[]) => list.length > 0);
  };
  const collection = catalog.collections.get(name);
  if (collection && isKnown(name)) return collection;
  throw new QueryError('unknown-collection', `there is no collection ${JSON.stringify(name)}`, {
    name,
    suggestion: suggestName(
      name,
      [...catalog.collections.keys()].filter((candidate) => isKnown(candidate)),
    ),
  });
}

/** @throws WriteError `forbidden` when no rule allows the action at all */
export function requireRules(rules: readonly unknown[], collection: Collection, done: string): void {
  if (rules.length > 0) return;
  throw new WriteError('forbidden', `Records of ${collection.name} cannot be ${done} by you.`);
}

export const notSupported = (collection: Collection, done: string): WriteError =>
  new WriteError('not-supported', `The database cannot let records of ${collection.name} be ${done}.`);

/** @throws WriteError `not-supported` when rows cannot be changed, or cannot be told apart */
export function requireRows(collection: Collection, isPossible: boolean, done: string): void {
  const isTellable = collection.primaryKey.length > 0 || collection.hasRowVersion;
  if (!isPossible || !isTellable) throw notSupported(collection, done);
}

/**
 * The unique key that `upsertOn` names, `slug` or `tenant_id,slug`, in the order of the key.
 *
 * @throws QueryError `invalid-parameter` where it is no list of names, WriteError `invalid-upsert` where it is no key
 */
export function findUniqueKey(
  text: string,
  collection: Collection,
  rules: CollectionAccess,
): { readonly fields: readonly Field[]; readonly nullsNotDistinct: boolean } {
  const named = parseKeyNames(text, 'upsertOn');
  const creatable = sendableFields(rules.create.length > 0 ? rules.create : rules.update, collection);
  const usable = collection.uniqueKeys.filter((key) =>
    key.fields.every(
      (name) =>
        creatable.has(name) &&
        (collection.fields.get(name)?.writable ?? false) &&
        fieldVisibility(rules, name) !== undefined,
    ),
  );
  const key = usable.find(
    ({ fields }) => fields.length === named.size && fields.every((name) => named.has(name)),
  );
  if (!key) {
    const known = usable.map(({ fields }) => printKeyNames(fields)).join(' or ');
    throw new WriteError(
      'invalid-upsert',
      `upsertOn must be a unique key of ${collection.name} whose fields you can read and set${known === '' ? '; there is none' : `: ${known}`}.`,
    );
  }
  return {
    fields: key.fields.flatMap((name) => collection.fields.get(name) ?? []),
    nullsNotDistinct: key.nullsNotDistinct,
  };
}

export interface CheckedBody {
  readonly isArray: boolean;
  readonly checked: readonly JsonObjectNode[];
  readonly pointer: (index: number) => string;
}

/**
 * Checks every record of a body. `key` names fields that each of them must have.
 * @throws WriteError with every fault that was found
 */
export function validateBody(root: JsonNode, validator: RecordValidator, key: readonly Field[]): CheckedBody {
  const { isArray, nodes, pointer } = listBodyRecords(root);
  const problems = new ProblemList();
  const checked: JsonObjectNode[] = [];
  for (const [index, node] of nodes.entries()) {
    if (problems.isFull) break;
    const record = validator.validate(node, pointer(index), problems);
    for (const { name } of key) {
      if (!record.has(name)) {
        problems.add(pointer(index) + pointerStep(name), 'required', 'is required by upsertOn');
      }
    }
    checked.push(record);
  }
  problems.throwIfAny();
  return { isArray, checked, pointer };
}

/** Checks a body that must be one record. */
export function validateOne(root: JsonNode, validator: RecordValidator, pathKey: PathKey): JsonObjectNode {
  const problems = new ProblemList();
  if (Array.isArray(root)) throw new WriteError('invalid-body', 'The body must be an object, not an array.');
  const record = validator.validate(root, '', problems, pathKey);
  problems.throwIfAny();
  return record;
}

export const unionOf = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...a, ...b]);

/** The key of the path by field, as it was bound. */
export const pathKeyOf = (collection: Collection, { inputs }: RequestShape): PathKey =>
  new Map(collection.primaryKey.map((name, index) => [name, inputs.get(keyInput(index)) ?? '']));

export function bindVersions({ inputs }: RequestShape, versions: readonly string[]): void {
  const quoted = versions.map((version) => `"${version.replaceAll(/[\\"]/g, String.raw`\$&`)}"`);
  inputs.set(VERSIONS_INPUT, `{${quoted.join(',')}}`);
}

export function mergePrecondition(options: {
  readonly ifMatch?: '*' | readonly string[] | null;
  readonly ifNoneMatch?: '*' | null;
}): MergePrecondition {
  if (options.ifNoneMatch === '*') return 'none';
  if (options.ifMatch === '*') return 'exists';
  return options.ifMatch ? 'match' : null;
}

/** Names of fields that the caller may be told of: what it can read or send. */
export const knownFields = (rules: CollectionAccess, collection: Collection): ReadonlySet<string> =>
  new Set(
    [...collection.fields.keys()].filter(
      (name) =>
        fieldVisibility(rules, name) !== undefined ||
        sendableFields(rules.create, collection).has(name) ||
        sendableFields(rules.update, collection).has(name),
    ),
  );
