import type { Collection, Field } from '@plinth/schema';
import type { WriteRule } from '../../access.js';
import type { JsonObjectNode } from '../json-node.js';
import { WriteError } from '../write-error.js';
import { permissionKey, planPermission } from './write-permission.js';

/** Records of a body that one statement can write as rows of the same columns. */
export interface RecordGroup {
  /** In the catalog's order. */
  readonly fields: readonly Field[];
  /** Places in the body. */
  readonly indexes: readonly number[];
}

/** Each group is an `INSERT` of its own in the statement; so many more of them would cost more than separate requests. */
const MAX_GROUPS = 64;

/**
 * Puts records together that send the same fields. A column that is not named takes its default, so records that leave
 * different ones out cannot share an `INSERT`.
 *
 * @param keyOf equal for sets of fields whose records may share columns; who sends none of them has null there
 * @throws WriteError `body-too-large` when the records differ in too many ways
 */
export function groupRecords(
  records: readonly JsonObjectNode[],
  collection: Collection,
  keyOf: (fields: readonly Field[]) => string,
): readonly RecordGroup[] {
  const [first] = records;
  // Most writes are of one record, which needs no key to be told from others.
  if (first !== undefined && records.length === 1) {
    return [{ fields: inCatalogOrder(first.keys(), collection), indexes: [0] }];
  }
  const groups = new Map<string, { fields: Set<Field>; indexes: number[] }>();
  const known = new Map<string, { fields: Set<Field>; indexes: number[] }>();
  records.forEach((record, index) => {
    const spelling = [...record.keys()].join('\0');
    let group = known.get(spelling);
    if (!group) {
      const fields = inCatalogOrder(record.keys(), collection);
      const key = keyOf(fields);
      group = groups.get(key) ?? { fields: new Set(), indexes: [] };
      for (const field of fields) group.fields.add(field);
      groups.set(key, group);
      known.set(spelling, group);
    }
    group.indexes.push(index);
    if (groups.size > MAX_GROUPS) {
      throw new WriteError(
        'body-too-large',
        `The records differ in more than ${MAX_GROUPS} ways in which fields they send. Send those that are alike together.`,
      );
    }
  });
  return [...groups.values()].map(({ fields, indexes }) => ({
    fields: inCatalogOrder(
      [...fields].map((field) => field.name),
      collection,
    ),
    indexes,
  }));
}

/**
 * What records of a create must have in common: the fields that have a default, and the rules that must hold. Any other
 * field is null when it is left out, and may just as well be sent as null.
 */
export const createKey =
  (rules: readonly WriteRule[], collection: Collection) =>
  (fields: readonly Field[]): string => {
    const names = fields.filter((field) => !isNullByDefault(field, collection)).map((field) => field.name);
    const permission = planPermission(
      rules,
      fields.map((field) => field.name),
    );
    return JSON.stringify([names, permissionKey(permission)]);
  };

/** What records of an upsert must have in common: every field, because an update leaves those not sent as they are. */
export const exactKey = (fields: readonly Field[]): string =>
  JSON.stringify(fields.map((field) => field.name));

const isNullByDefault = (field: Field, { kind }: Collection): boolean =>
  // A view's column may take its default from the table below; a domain may have one of its own.
  (kind === 'table' || kind === 'partitioned-table') &&
  field.type.kind !== 'domain' &&
  field.nullable &&
  field.default === null &&
  field.identity === null &&
  field.generated === null;

function inCatalogOrder(names: Iterable<string>, collection: Collection): readonly Field[] {
  const fields: Field[] = [];
  for (const name of names) {
    const field = collection.fields.get(name);
    if (field) fields.push(field);
  }
  return fields.sort((a, b) => a.position - b.position);
}
