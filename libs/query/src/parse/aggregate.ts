import { QueryError } from '../errors.js';
import type { QueryLimits } from '../limits.js';
import { NameReader, type NameNode } from './name-reader.js';

export const MEASURE_FUNCTIONS = ['count', 'countDistinct', 'sum', 'avg', 'min', 'max'] as const;
export type MeasureFunction = (typeof MEASURE_FUNCTIONS)[number];

export const TIME_UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

export interface MeasureNode extends NameNode {
  readonly function: MeasureFunction;
  /** Null for `count` of rows. */
  readonly path: readonly NameNode[] | null;
}

export interface GroupNode {
  readonly path: readonly NameNode[];
  readonly unit: TimeUnit | null;
}

/** Parses `count,avg(views),countDistinct(author.country)`. Throws `QueryError` (`invalid-measure`, `query-too-complex`). */
export function parseMeasures(text: string, limits: QueryLimits): readonly MeasureNode[] {
  const parameter = 'measures';
  const reader = new NameReader(text, 'invalid-measure', parameter);
  const measures: MeasureNode[] = [];
  do {
    const word = reader.readName();
    const position = { start: word.start, end: word.end };
    const found = MEASURE_FUNCTIONS.find((name) => name === word.name);
    if (!found) {
      throw new QueryError(
        'invalid-measure',
        `"${word.name}" is not a measure; measures are ${MEASURE_FUNCTIONS.join(', ')}`,
        { parameter, name: word.name, position },
      );
    }
    let path: readonly NameNode[] | null = null;
    if (reader.take('(')) {
      path = reader.readPath();
      reader.expect(')');
    } else if (found !== 'count') {
      throw new QueryError('invalid-measure', `${found} needs a field: ${found}(...)`, {
        parameter,
        position,
      });
    }
    measures.push({ ...word, end: reader.position, function: found, path });
  } while (reader.take(','));
  reader.expectEnd();
  if (measures.length > limits.maxMeasures) {
    throw new QueryError('query-too-complex', `at most ${limits.maxMeasures} measures`, { parameter });
  }
  return measures;
}

/** Parses `status,published_at:month,author.country`. Throws `QueryError` (`invalid-group`, `query-too-complex`). */
export function parseGroups(text: string, limits: QueryLimits): readonly GroupNode[] {
  const parameter = 'groupBy';
  const reader = new NameReader(text, 'invalid-group', parameter);
  const groups: GroupNode[] = [];
  do {
    const path = reader.readPath();
    groups.push({ path, unit: reader.take(':') ? parseUnit(reader.readName(), parameter) : null });
  } while (reader.take(','));
  reader.expectEnd();
  if (groups.length > limits.maxGroupKeys) {
    throw new QueryError('query-too-complex', `at most ${limits.maxGroupKeys} group keys`, { parameter });
  }
  return groups;
}

function parseUnit({ name, start, end }: NameNode, parameter: string): TimeUnit {
  const unit = TIME_UNITS.find((candidate) => candidate === name);
  if (unit) return unit;
  throw new QueryError(
    'invalid-group',
    `"${name}" is not a unit of time; units are ${TIME_UNITS.join(', ')}`,
    {
      parameter,
      name,
      position: { start, end },
    },
  );
}
