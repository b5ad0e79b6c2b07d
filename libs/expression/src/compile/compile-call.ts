import { rawSql, sql, type Sql } from '../sql.js';
import type { CalendarField, CallNode, ExpressionNode } from '../tree.js';
import type { ParameterEncoding } from '../bind-parameter.js';
import { civilTimestamp, narrowToInt } from './compile-arithmetic.js';
import { lowerAsciiSql, upperAsciiSql } from './compile-comparison.js';
import { compileSequenceSize } from './compile-sequence.js';
import type { Compiler } from './compiler.js';
import { bindOnce, type Operand } from './operand.js';

const computed = (text: Sql, nullable: boolean): Operand => ({ sql: text, nullable, isSimple: false });

const LIKE_ENCODINGS: Readonly<Record<string, ParameterEncoding>> = {
  startsWith: 'like-prefix',
  endsWith: 'like-suffix',
  contains: 'like-infix',
};

const isNondeterministic = (node: ExpressionNode): boolean =>
  node.type.data?.kind === 'scalar' && node.type.data.isNondeterministic === true;

function compileTextSearch(
  compiler: Compiler,
  node: CallNode,
  text: ExpressionNode,
  part: ExpressionNode,
): Operand {
  const whole = compiler.value(text);
  const collation = rawSql(isNondeterministic(text) || text.op !== 'field' ? ' COLLATE "C"' : '');
  if (part.op === 'literal') {
    const pattern = compiler.literalParameter(part, 'text', LIKE_ENCODINGS[node.name] ?? 'text');
    return computed(sql`${whole.sql}${collation} LIKE ${pattern}`, whole.nullable);
  }
  const sought = compiler.value(part);
  const nullable = whole.nullable || sought.nullable;
  switch (node.name) {
    case 'startsWith':
      return computed(sql`starts_with(${whole.sql} COLLATE "C", ${sought.sql})`, nullable);
    case 'contains':
      return computed(sql`strpos(${whole.sql} COLLATE "C", ${sought.sql}) > 0`, nullable);
    default:
      return computed(
        bindOnce([sought], (v) => sql`right(${whole.sql}, char_length(${v})) COLLATE "C" = ${v}`),
        nullable,
      );
  }
}

function compileMatches(compiler: Compiler, text: ExpressionNode, pattern: ExpressionNode): Operand {
  if (pattern.op !== 'literal') throw new TypeError(pattern.op);
  const whole = compiler.value(text);
  const parameter = compiler.literalParameter(pattern, 'text', 'pattern');
  return computed(sql`${whole.sql} COLLATE "C" ~ ${parameter}`, whole.nullable);
}

function compileSize(compiler: Compiler, node: ExpressionNode): Operand {
  const { type } = node;
  if (type.kind === 'string') {
    const text = compiler.value(node);
    return computed(sql`char_length(${text.sql})::int8`, text.nullable);
  }
  if (type.kind === 'bytes') {
    const bytes = compiler.value(node);
    return computed(sql`octet_length(${bytes.sql})::int8`, bytes.nullable);
  }
  if (type.kind === 'dyn' || type.kind === 'claim') {
    const json = compiler.value(node);
    return computed(
      bindOnce(
        [json],
        (v) => sql`CASE jsonb_typeof(${v}) WHEN 'array' THEN jsonb_array_length(${v})
    WHEN 'string' THEN char_length(${v} #>> '{}')
    WHEN 'object' THEN (SELECT count(*) FROM jsonb_object_keys(${v})) END::int8`,
      ),
      true,
    );
  }
  const isStored = node.op === 'field' || node.op === 'member' || node.op === 'auth';
  if (!isStored) return compileSequenceSize(compiler, node);
  const list = compiler.stored(node);
  const length = sql`COALESCE(array_length(${list.sql}, 1), 0)::int8`;
  if (!list.nullable) return computed(length, false);
  return computed(sql`CASE WHEN ${list.sql} IS NOT NULL THEN ${length} END`, true);
}

function compileInt(compiler: Compiler, node: ExpressionNode): Operand {
  const value = compiler.value(node);
  switch (node.type.kind) {
    case 'int':
      return value;
    case 'timestamp':
      return computed(sql`floor(extract(epoch FROM ${civilTimestamp(compiler, node).sql}))::int8`, true);
    case 'double': {
      const fits = (v: Sql): Sql => sql`${v} >= -9223372036854775808 AND ${v} < 9223372036854775808`;
      return computed(
        bindOnce(
          [{ ...value, sql: sql`${value.sql}::float8` }],
          (v) => sql`CASE WHEN ${fits(v)} THEN trunc(${v})::int8 END`,
        ),
        true,
      );
    }
    case 'string': {
      const isInt = (v: Sql): Sql => sql`${v} COLLATE "C" ~ '^-?[0-9]{1,19}$'`;
      return computed(
        narrowToInt(bindOnce([value], (v) => sql`CASE WHEN ${isInt(v)} THEN ${v}::numeric END`)),
        true,
      );
    }
    default:
      return computed(narrowToInt(sql`trunc(${value.sql})`), true);
  }
}

function compileDouble(compiler: Compiler, node: ExpressionNode): Operand {
  const value = compiler.value(node);
  switch (node.type.kind) {
    case 'int':
    case 'double':
      return { ...value, sql: sql`${value.sql}::float8`, range: undefined };
    case 'string': {
      const isNumber = (v: Sql): Sql =>
        sql`char_length(${v}) <= 100 AND ${v} COLLATE "C" ~ '^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,2})?$'`;
      return computed(
        bindOnce([value], (v) => sql`CASE WHEN ${isNumber(v)} THEN ${v}::float8 END`),
        true,
      );
    }
    default: {
      const isLarge = (v: Sql): Sql => sql`abs(${v}) < 1e308 OR ${v} IN ('NaN', 'Infinity', '-Infinity')`;
      return computed(
        bindOnce(
          [value],
          (v) => sql`CASE WHEN abs(${v}) < 1e-300 THEN 0 WHEN ${isLarge(v)} THEN ${v}::float8 END`,
        ),
        true,
      );
    }
  }
}

function compileString(compiler: Compiler, node: ExpressionNode): Operand {
  const value = compiler.value(node);
  switch (node.type.kind) {
    case 'string':
      return value;
    case 'decimal':
      return computed(sql`trim_scale(${value.sql})::text`, value.nullable);
    case 'double':
      return computed(sql`(${value.sql}::float8)::text`, value.nullable);
    case 'timestamp': {
      const civil = civilTimestamp(compiler, node);
      const text = bindOnce([civil], (v) => {
        const utc = sql`${v} AT TIME ZONE 'UTC'`;
        return sql`rtrim(rtrim(to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'`;
      });
      return computed(sql`(${text})`, true);
    }
    default:
      return computed(sql`(${value.sql})::text`, value.nullable);
  }
}

/** Part of a timestamp, and what to subtract from it: CEL counts months and days from 0, dates from 1. */
const CALENDAR_PARTS: Readonly<Record<CalendarField, readonly [part: string, offset: number]>> = {
  getFullYear: ['year', 0],
  getMonth: ['month', 1],
  getDate: ['day', 0],
  getDayOfMonth: ['day', 1],
  getDayOfWeek: ['dow', 0],
  getDayOfYear: ['doy', 1],
  getHours: ['hour', 0],
  getMinutes: ['minute', 0],
  getSeconds: ['second', 0],
  getMilliseconds: ['milliseconds', 0],
};

function compileCalendar(compiler: Compiler, name: CalendarField, node: ExpressionNode): Operand {
  const civil = civilTimestamp(compiler, node);
  const [part, offset] = CALENDAR_PARTS[name];
  const extracted = sql`floor(extract(${rawSql(part)} FROM ${civil.sql} AT TIME ZONE 'UTC'))::int8`;
  if (name === 'getMilliseconds') return computed(sql`(${extracted} % 1000)`, true);
  return computed(offset === 0 ? extracted : sql`(${extracted} - ${rawSql(`${offset}`)})`, true);
}

/** How many of the unit a second has, or the reverse. */
const DURATION_FACTORS: Readonly<Record<string, string>> = {
  getHours: '/ 3600',
  getMinutes: '/ 60',
  getSeconds: '* 1',
  getMilliseconds: '* 1000',
};

/**
 * The whole duration in one unit, cut off, but of milliseconds only those beside the seconds, as CEL has it. A month
 * counts 30 days, as it does in comparisons.
 */
function compileDurationPart(compiler: Compiler, name: CalendarField, node: ExpressionNode): Operand {
  const total = (v: Sql): Sql => {
    const part = (field: string): Sql => sql`extract(${rawSql(field)} FROM ${v})`;
    const days = sql`(${part('year')} * 12 + ${part('month')}) * 30 + ${part('day')}`;
    return sql`((${days}) * 24 + ${part('hour')}) * 3600 + ${part('minute')} * 60 + ${part('second')}`;
  };
  const factor = rawSql(DURATION_FACTORS[name] ?? '* 1');
  const whole = bindOnce(
    [compiler.value(node)],
    (v) => sql`CASE WHEN isfinite(${v}) THEN trunc((${total(v)}) ${factor})::int8 END`,
  );
  return computed(name === 'getMilliseconds' ? sql`(${whole} % 1000)` : whole, true);
}

export function compileCall(compiler: Compiler, node: CallNode): Operand {
  const [first, second] = node.arguments;
  if (first === undefined) throw new RangeError(`${node.name} without arguments`);
  switch (node.name) {
    case 'startsWith':
    case 'endsWith':
    case 'contains':
    case 'matches':
      if (second === undefined) throw new RangeError(`${node.name} without a second argument`);
      if (node.name === 'matches') return compileMatches(compiler, first, second);
      return compileTextSearch(compiler, node, first, second);
    case 'size':
      return compileSize(compiler, first);
    case 'lowerAscii':
    case 'upperAscii': {
      const text = compiler.value(first);
      const convert = node.name === 'lowerAscii' ? lowerAsciiSql : upperAsciiSql;
      return computed(convert(text.sql), text.nullable);
    }
    case 'int':
      return compileInt(compiler, first);
    case 'double':
      return compileDouble(compiler, first);
    case 'string':
      return compileString(compiler, first);
    default:
      if (first.type.kind === 'duration') return compileDurationPart(compiler, node.name, first);
      return compileCalendar(compiler, node.name, first);
  }
}
