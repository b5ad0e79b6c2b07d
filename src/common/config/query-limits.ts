import { DEFAULT_EXPRESSION_LIMITS, type ExpressionLimits } from '@plinth/expression';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from '@plinth/query';
import type { PlinthConfig } from './plinth-config.js';

/** What the configuration says of one request for records, as the query engine wants it. */
export function queryLimits(config: PlinthConfig): QueryLimits & { readonly expression: ExpressionLimits } {
  return {
    ...DEFAULT_QUERY_LIMITS,
    defaultLimit: Math.min(DEFAULT_QUERY_LIMITS.defaultLimit, config.maxLimit, config.maxRows),
    maxLimit: config.maxLimit,
    maxRows: config.maxRows,
    maxOffset: config.maxOffset,
    maxDepth: config.maxDepth,
    maxEmbeds: config.maxEmbeds,
    maxSortKeys: config.maxSortKeys,
    maxParameters: config.maxParameters,
    maxSearchLength: config.maxSearchLength,
    expression: {
      ...DEFAULT_EXPRESSION_LIMITS,
      maxLength: config.maxFilterLength,
      maxDepth: config.maxFilterDepth,
      maxNodes: config.maxFilterNodes,
      maxRelationDepth: config.maxDepth,
    },
  };
}
