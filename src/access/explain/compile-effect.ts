import { compileExpression, identifier, joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import { AliasSource, createScope, fieldVisibility, visibleFields, type RowScope } from '@plinth/query';
import type { ExplanationSubject } from './record-source.js';

/**
 * What the rules come to in SQL. For reading: the rows and fields that are there for the actor. For updating and
 * deleting: the rows that may be taken. For creating: whether a row, `record`, would be let in.
 */
export function compileEffect(subject: Omit<ExplanationSubject, 'hasKey' | 'given'>): Sql {
  const { catalog, view: access, collection, rules, action } = subject;
  const isCreating = action === 'create';
  const aliases = new AliasSource();
  const alias = isCreating ? 'record' : aliases.next();
  const scope = createScope({ catalog, access, collection, alias, aliases, masked: true });
  if (isCreating) {
    const lets = rules.create.map((rule) => (rule.check ? strictly(scope, rule.check) : rawSql('true')));
    return sql`SELECT ${anyOf(lets)} AS allowed FROM record${scope.joins()}`;
  }
  const readable = scope.rowPredicate() ?? rawSql('true');
  const names = visibleFields(rules, collection);
  if (action === 'read') {
    const columns = names.map((name) => {
      const { sql: value } = scope.field(name);
      return fieldVisibility(rules, name) === 'always' ? value : sql`${value} AS ${identifier(name)}`;
    });
    return sql`SELECT ${joinSql(columns, ', ')} FROM ${scope.source()} WHERE ${readable}`;
  }
  const taken = rules[action].map(({ condition }) =>
    condition ? strictly(scope, condition) : rawSql('true'),
  );
  const allowed = anyOf(taken);
  return sql`SELECT ${rawSql(alias)}.* FROM ${scope.source()} WHERE ${readable} AND ${allowed}`;
}

const strictly = (scope: RowScope, expression: Parameters<typeof compileExpression>[0]): Sql =>
  sql`(${compileExpression(expression, scope.raw, { strict: true, oldScope: scope.raw })})`;

const anyOf = (alternatives: readonly Sql[]): Sql =>
  alternatives.length === 0 ? rawSql('false') : sql`(${joinSql(alternatives, ' OR ')})`;
