import { createHash } from 'node:crypto';
import {
  bindParameter,
  ExpressionError,
  renderSql,
  type AuthValues,
  type Literal,
  type Parameter,
  type Sql,
} from '@plinth/expression';
import { filterError } from './plan/plan-context.js';

/** A statement that is ready to be run any number of times, each time with values of its own. */
export interface Statement {
  /** For a named prepared statement: equal texts have equal names. */
  readonly name: string;
  readonly text: string;
  /** In the order of `$1`, `$2`, ... */
  readonly parameters: readonly Parameter[];
}

export function createStatement(root: Sql): Statement {
  const { text, parameters } = renderSql(root);
  const digest = createHash('sha256').update(text).digest('base64url');
  return { name: `plinth_${digest.slice(0, 20)}`, text, parameters };
}

/** What a request gives to a statement. */
export interface StatementValues {
  /** The literals of each of the request's expressions, by the parameter that it came in. */
  readonly literals: ReadonlyMap<string, readonly Literal[]>;
  readonly auth: AuthValues;
  /** Everything else by name: `limit`, `key.0`, `cursor.1`, ... */
  readonly inputs: ReadonlyMap<string, string | null>;
}

/**
 * The values of a statement's parameters in the text form of PostgreSQL, null for NULL. Throws `QueryError` for a
 * literal that cannot be what its expression wants, such as `timestamp("nonsense")`.
 */
export function bindStatement(statement: Statement, values: StatementValues): (string | null)[] {
  const literals = (slot: string, index: number): Literal => {
    const literal = values.literals.get(slot)?.[index];
    if (!literal) throw new Error(`literal ${index} of ${slot} is not bound`);
    return literal;
  };
  return statement.parameters.map((parameter) => {
    const { source } = parameter;
    if (source.kind === 'input' && parameter.encoding === undefined) {
      const value = values.inputs.get(source.name);
      if (value === undefined) throw new Error(`the input ${source.name} is not bound`);
      return value;
    }
    try {
      return bindParameter(parameter, { literals, auth: values.auth });
    } catch (error) {
      if (error instanceof ExpressionError && source.kind === 'literal')
        throw filterError(error, source.slot);
      throw error;
    }
  });
}
