import {
  compileExpression,
  joinSql,
  rawSql,
  sql,
  type CheckedExpression,
  type Sql,
} from '@plinth/expression';
import type { DeleteRule, WriteRule } from '../../access.js';
import type { RowScope } from '../../scope.js';
import type { PermissionClause } from '../plan/write-permission.js';
import { raiseForAny } from './raise.js';
import { allOf, type RowSources } from './row-source.js';

type Rule = WriteRule | DeleteRule;

const checkOf = (rule: Rule): CheckedExpression | null => ('check' in rule ? rule.check : null);

const anyOf = (alternatives: readonly Sql[]): Sql =>
  alternatives.length === 0 ? rawSql('false') : sql`(${joinSql(alternatives, ' OR ')})`;

/** What must hold for the row as it was: one predicate a clause that does not hold anyway. It may be null for false. */
export function compileBefore(clauses: readonly PermissionClause[], old: RowScope): readonly Sql[] {
  return clauses.flatMap((clause) => {
    if (clause.some((rule) => rule.condition === null)) return [];
    return [anyOf(clause.map((rule) => compileCondition(rule, old)))];
  });
}

/** What must hold for a new row: condition and check of one rule a clause. */
export function compileCreated(clauses: readonly PermissionClause[], created: RowScope): readonly Sql[] {
  return clauses.map((clause) =>
    anyOf(
      clause.map((rule) => {
        const parts = [rule.condition, checkOf(rule)].filter((part) => part !== null);
        return joinSql(
          parts.map((part) => sql`(${compileExpression(part, created.raw)})`),
          ' AND ',
        );
      }),
    ),
  );
}

const compileCondition = (rule: Rule, scope: RowScope): Sql =>
  rule.condition === null ? rawSql('true') : sql`(${compileExpression(rule.condition, scope.raw)})`;

/**
 * The checks of an update, which see the row before and after. A rule counts with its condition and its check
 * together: a field must not slip through by the condition of one and the check of another. So which conditions the
 * old row met is kept beside it, in columns of their own.
 */
export class UpdateChecks {
  private readonly flags = new Map<Rule, Sql>();

  constructor(
    private readonly clauses: readonly PermissionClause[],
    sources: RowSources,
  ) {
    for (const rule of this.checkedClauses().flat()) {
      // Where a clause has but one rule, its condition was asked of the old row already.
      const isNeeded =
        rule.condition !== null && clauses.some((clause) => clause.length > 1 && clause.includes(rule));
      if (isNeeded && !this.flags.has(rule)) {
        this.flags.set(rule, sources.freshName(`rule_${this.flags.size}_applies`));
      }
    }
  }

  get isEmpty(): boolean {
    return this.checkedClauses().length === 0;
  }

  /** `, <condition> AS rule_0_applies` for each rule whose condition has to be remembered. */
  flagColumns(old: RowScope): Sql {
    const columns = [...this.flags].map(([rule, name]) => sql`, ${compileCondition(rule, old)} AS ${name}`);
    return joinSql(columns, '');
  }

  /** Whether the new row alone tells. */
  get needOldRow(): boolean {
    return (
      this.flags.size > 0 ||
      this.checkedClauses().some((clause) => clause.some((rule) => checkOf(rule)?.usesOld))
    );
  }

  /** What must hold for the row as it has become; `old` is over rows with the flag columns, where they are needed. */
  compile(updated: RowScope, old: RowScope | null): readonly Sql[] {
    return this.checkedClauses().map((clause) =>
      anyOf(
        clause.map((rule) => {
          const flag = this.flags.get(rule);
          const check = checkOf(rule);
          const parts = [
            ...(flag && old && clause.length > 1 ? [sql`${rawSql(old.alias)}.${flag}`] : []),
            ...(check ? [sql`(${compileExpression(check, updated.raw, { oldScope: old?.raw })})`] : []),
          ];
          return parts.length === 0 ? rawSql('true') : joinSql(parts, ' AND ');
        }),
      ),
    );
  }

  /** Those with a check. The others were settled before the update. */
  private checkedClauses(): readonly PermissionClause[] {
    return this.clauses.filter((clause) => clause.some((rule) => checkOf(rule) !== null));
  }
}

/** Ends the statement when an updated row does not pass the checks. */
export function compileUpdateRefusal(
  checks: UpdateChecks,
  rows: { readonly written: Sql; readonly old: Sql },
  ordinal: Sql,
  sources: RowSources,
): readonly Sql[] {
  if (checks.isEmpty) return [];
  const [updated, old] = [sources.scope(), sources.scope()];
  const [near, before] = [rawSql(updated.alias), rawSql(old.alias)];
  const predicate = allOf(checks.compile(updated, old));
  const failing = sql`FROM ${rows.written} ${near} JOIN ${rows.old} ${before} ON ${before}.${ordinal} = ${near}.${ordinal}${updated.joins()}${old.joins()} WHERE (${predicate}) IS NOT TRUE`;
  return [raiseForAny('check-failed', sql`${near}.${ordinal}`, failing)];
}
