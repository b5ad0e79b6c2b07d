import type { Collection, Field } from '@plinth/schema';
import type { CollectionAccess } from '../../access.js';
import type { RecordGroup } from './group-records.js';
import type { AnswerPlan, CreatePlan, MergeGroup, MergePlan, MergePrecondition } from './write-plan.js';
import { planPermission, planPresets, sendableFields } from './write-permission.js';

export function planCreate(
  collection: Collection,
  rules: CollectionAccess,
  groups: readonly RecordGroup[],
  answer: AnswerPlan,
): CreatePlan {
  const presets = planPresets(rules.create, collection);
  return {
    kind: 'create',
    collection,
    answer,
    presets,
    groups: groups.map(({ fields, indexes }) => ({
      fields,
      emptyRows: fields.length === 0 && presets.length === 0 ? indexes.length : 0,
      create: planPermission(rules.create, names(fields)),
    })),
  };
}

/** Plans `upsertOn`: records that are there by a unique key are patched with what is sent. */
export function planUpsert(
  collection: Collection,
  rules: CollectionAccess,
  groups: readonly RecordGroup[],
  key: { readonly fields: readonly Field[]; readonly nullsNotDistinct: boolean },
  answer: AnswerPlan,
): MergePlan {
  const planGroup = ({ fields }: RecordGroup): MergeGroup => {
    const updated = fields.filter((field) => !key.fields.includes(field));
    return {
      fields,
      emptyRows: 0,
      updated,
      reset: [],
      create: planPermission(rules.create, names(fields)),
      update: planPermission(rules.update, names(updated)),
    };
  };
  return {
    kind: 'merge',
    collection,
    answer,
    key: key.fields,
    nullsNotDistinct: key.nullsNotDistinct,
    isKeyInPath: false,
    groups: groups.map(planGroup),
    createPresets: planPresets(rules.create, collection),
    updatePresets: planPresets(rules.update, collection),
    precondition: null,
    canCreate: rules.create.length > 0,
  };
}

/**
 * Plans `PUT`: the record of the path becomes what is sent, or is created. What is left out goes back to its default,
 * as far as the caller may write it; that is a write like any other to the rules.
 */
export function planReplace(
  collection: Collection,
  rules: CollectionAccess,
  fields: readonly Field[],
  precondition: MergePrecondition,
  answer: AnswerPlan,
): MergePlan {
  const key = keyFields(collection);
  const updatable = sendableFields(rules.update, collection);
  const reset = [...collection.fields.values()].filter(
    (field) => updatable.has(field.name) && field.writable && !fields.includes(field) && !key.includes(field),
  );
  const creatable = sendableFields(rules.create, collection);
  const group: MergeGroup = {
    fields,
    emptyRows: 0,
    updated: fields,
    reset,
    create: planPermission(rules.create, names([...key, ...fields])),
    update: planPermission(rules.update, names([...fields, ...reset])),
  };
  return {
    kind: 'merge',
    collection,
    answer,
    key,
    nullsNotDistinct: false,
    isKeyInPath: true,
    groups: [group],
    createPresets: planPresets(rules.create, collection).filter(
      (preset) => !collection.primaryKey.includes(preset.field),
    ),
    updatePresets: planPresets(rules.update, collection),
    precondition,
    canCreate: key.every((field) => creatable.has(field.name) && field.writable),
  };
}

export const keyFields = (collection: Collection): readonly Field[] =>
  collection.primaryKey.flatMap((name) => collection.fields.get(name) ?? []);

const names = (fields: readonly Field[]): readonly string[] => fields.map((field) => field.name);
