/** What an expression may cost. Every limit is checked before the work that it bounds. */
export interface ExpressionLimits {
  /** UTF-16 units of the text. */
  readonly maxLength: number;
  /** Nesting of the tree; a chain of `&&` or of `||` is one level, however long. */
  readonly maxDepth: number;
  /** Nodes of the tree, elements of list literals not counted. */
  readonly maxNodes: number;
  readonly maxListElements: number;
  /** Patterns of `matches`: PostgreSQL keeps 32 of them compiled, and compiles others again for every row. */
  readonly maxPatterns: number;
  /** Relations on one path or around one another. */
  readonly maxRelationDepth: number;
}

export const DEFAULT_EXPRESSION_LIMITS: ExpressionLimits = {
  maxLength: 16_384,
  maxDepth: 48,
  maxNodes: 2000,
  maxListElements: 1000,
  maxPatterns: 16,
  maxRelationDepth: 5,
};
