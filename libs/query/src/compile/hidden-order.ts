import { joinSql, rawSql, sql, type Sql } from '@plinth/expression';
import type { Field } from '@plinth/schema';
import type { RowScope } from '../scope.js';
import { inputParameter } from './input-parameter.js';

/** The name under which the secret of `hiddenOrder` is bound. */
export const ORDER_INPUT = 'hiddenOrder';

/**
 * A value that tells rows apart by fields that the caller may not see, and says nothing of them: a digest under a secret.
 * Ordered by the fields themselves, a row would stand between those whose values the caller does see, and a cursor would
 * be as long as they are.
 */
export function hiddenOrder(fields: readonly Field[], { raw }: RowScope): Sql {
  const columns = joinSql(
    fields.map(({ name }) => raw.field(name).sql),
    ', ',
  );
  const text = sql`${inputParameter(ORDER_INPUT, 'text')} || ROW(${columns})::text`;
  return sql`sha256(convert_to(${text}, ${rawSql(`'UTF8'`)}))`;
}
