import type { ExpressionLimits } from '@plinth/expression';

/** Bounds on what one request may ask, so that no request can be multiplied into another cost class. */
export interface QueryLimits {
  /** Rows of a page, and of each embedded list, where the request does not say. */
  readonly defaultLimit: number;
  readonly maxLimit: number;
  /** A page of more rows than this is answered row by row, so that nobody has to hold it as a whole. */
  readonly maxWholeRows: number;
  readonly maxOffset: number;
  /** Rows of the whole answer at most, embedded ones included: the product of the limits on every path. */
  readonly maxRows: number;
  /** How deep relations may be embedded or followed. */
  readonly maxDepth: number;
  /** Embedded relations in one request. */
  readonly maxEmbeds: number;
  readonly maxSortKeys: number;
  readonly maxParameters: number;
  /** UTF-16 units of one parameter's text; a filter has its own bound in `expression`. */
  readonly maxParameterLength: number;
  readonly maxSearchLength: number;
  readonly maxMeasures: number;
  readonly maxGroupKeys: number;
  /** Rows of an aggregate where the request does not say, and at most. */
  readonly defaultGroups: number;
  readonly maxGroups: number;
  readonly expression: Partial<ExpressionLimits>;
}

export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  defaultLimit: 50,
  maxLimit: 1000,
  maxWholeRows: 1000,
  maxOffset: 100_000,
  maxRows: 1_000_000,
  maxDepth: 5,
  maxEmbeds: 32,
  maxSortKeys: 8,
  maxParameters: 64,
  maxParameterLength: 65_536,
  maxSearchLength: 1000,
  maxMeasures: 32,
  maxGroupKeys: 8,
  defaultGroups: 1000,
  maxGroups: 10_000,
  expression: {},
};
