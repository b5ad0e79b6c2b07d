import type { Collection } from '@plinth/schema';
import type { DeleteRule, Preset, WriteRule } from '../../access.js';

/**
 * One condition of a write: at least one of the rules must apply. A write is permitted when all of its clauses hold.
 * A clause without rules never holds.
 */
export type PermissionClause = readonly (WriteRule | DeleteRule)[];

/** Whether a rule lets its callers send a field. What a rule sets itself, it takes out of their hands. */
const isListing = (rule: WriteRule, field: string): boolean =>
  !rule.presets.has(field) && (rule.fields === '*' || rule.fields.has(field));

/** Names of the fields that some rule lets the caller send, read-only ones included, in the catalog's order. */
export const sendableFields = (rules: readonly WriteRule[], collection: Collection): ReadonlySet<string> =>
  new Set([...collection.fields.keys()].filter((field) => rules.some((rule) => isListing(rule, field))));

const alwaysApplies = (rule: WriteRule | DeleteRule): boolean =>
  rule.condition === null && (!('check' in rule) || rule.check === null);

/**
 * What must hold so that these fields may be written: field by field, one of the rules that list it must apply. Where
 * no field is sent, any rule will do. Clauses that hold anyway, or because another one does, are left out.
 */
export function planPermission(
  rules: readonly WriteRule[],
  fields: Iterable<string>,
): readonly PermissionClause[] {
  const clauses = new Map<string, PermissionClause>();
  let isEmpty = true;
  for (const field of fields) {
    isEmpty = false;
    addClause(
      clauses,
      rules,
      rules.filter((rule) => isListing(rule, field)),
    );
  }
  if (isEmpty) addClause(clauses, rules, rules);
  const all = [...clauses.values()];
  return all.filter((clause) => !all.some((other) => other !== clause && isSubset(other, clause)));
}

/** Deleting is of the whole row: any one rule will do. */
export const planDeletePermission = (rules: readonly DeleteRule[]): readonly PermissionClause[] =>
  rules.some(alwaysApplies) ? [] : [rules];

function addClause(
  clauses: Map<string, PermissionClause>,
  rules: readonly WriteRule[],
  applying: readonly WriteRule[],
): void {
  if (applying.some(alwaysApplies)) return;
  clauses.set(applying.map((rule) => rules.indexOf(rule)).join(','), applying);
}

const isSubset = (inner: PermissionClause, outer: PermissionClause): boolean =>
  inner.length < outer.length && inner.every((rule) => outer.includes(rule));

/** A text that is equal for equal clauses of the same rules. */
export const permissionKey = (clauses: readonly PermissionClause[]): string =>
  clauses
    .map((clause) =>
      clause
        .map((rule) => JSON.stringify(rule.id))
        .sort()
        .join(','),
    )
    .sort()
    .join(';');

/** The presets of a field, in the order of the rules: the first whose rule applies counts. */
export interface PresetPlan {
  readonly field: string;
  readonly choices: readonly { readonly rule: WriteRule; readonly preset: Preset }[];
}

/**
 * The fields that the server sets: those that a rule presets and none lets the caller send. A caller who may send a
 * field is not overruled by the preset of a lesser role of his.
 */
export function planPresets(rules: readonly WriteRule[], collection: Collection): readonly PresetPlan[] {
  const sendable = sendableFields(rules, collection);
  return [...collection.fields.values()].flatMap((field) => {
    if (sendable.has(field.name) || !field.writable) return [];
    const choices = rules.flatMap((rule) => {
      const preset = rule.presets.get(field.name);
      return preset ? [{ rule, preset }] : [];
    });
    return choices.length === 0 ? [] : [{ field: field.name, choices }];
  });
}
