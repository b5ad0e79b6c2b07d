import {
  checkExpression,
  ExpressionError,
  parseExpression,
  suggestName,
  type RelationSchema,
} from '@plinth/expression';
import type { Catalog, Collection, Field } from '@plinth/schema';
import type { AccessView } from '../access.js';
import { QueryError, type QueryErrorCode } from '../errors.js';
import type { QueryLimits } from '../limits.js';
import type { NameNode } from '../parse/name-reader.js';
import { VisibleRecordSchema } from '../record-schema.js';
import type { FilterPlan } from './selection-plan.js';

/** What a request is planned against. */
export interface PlanContext {
  readonly catalog: Catalog;
  readonly access: AccessView;
  readonly limits: QueryLimits;
}

/**
 * Finds names for a request in one collection, as the caller sees it: a hidden name and a name that never was give the
 * same error.
 */
export class NameFinder {
  readonly schema: VisibleRecordSchema;

  constructor(
    private readonly context: PlanContext,
    private readonly collection: Collection,
    private readonly parameter: string,
  ) {
    this.schema = new VisibleRecordSchema(context.catalog, context.access, collection);
  }

  field(node: NameNode): Field {
    const field = this.schema.field(node.name) && this.collection.fields.get(node.name);
    if (field) return field;
    if (this.schema.relation(node.name)) {
      throw this.error(
        node,
        `"${node.name}" is a relation of ${this.collection.name}: write ${node.name}(*)`,
      );
    }
    throw this.unknown(node);
  }

  relation(node: NameNode): { readonly isList: boolean; readonly target: Collection } {
    const relation: RelationSchema | undefined = this.schema.relation(node.name);
    const target = relation && this.context.catalog.collections.get(relation.target.name);
    if (!relation || !target) throw this.unknown(node);
    return { isList: relation.isList, target };
  }

  error(
    node: NameNode,
    message: string,
    code: QueryErrorCode = 'unknown-field',
    suggestion?: string,
  ): QueryError {
    const { name, start, end } = node;
    return new QueryError(code, message, {
      parameter: this.parameter,
      name,
      position: { start, end },
      suggestion,
    });
  }

  private unknown(node: NameNode): QueryError {
    const suggestion = suggestName(node.name, this.schema.names());
    const message = `"${node.name}" is not a field or relation of ${this.collection.name}`;
    return this.error(node, message, 'unknown-field', suggestion);
  }
}

/** The field at the end of a path of to-one relations, and the collection that has it. */
export interface FieldPath {
  readonly path: readonly string[];
  readonly field: Field;
  readonly collection: Collection;
}

/** Throws `QueryError`: a name is unknown, or (with `code`) a list relation is on the way. */
export function planFieldPath(
  nodes: readonly NameNode[],
  collection: Collection,
  context: PlanContext,
  options: { readonly parameter: string; readonly code: QueryErrorCode },
): FieldPath {
  const { parameter, code } = options;
  const last = nodes.at(-1);
  if (!last) throw new Error('a path has at least one name');
  let owner = collection;
  const path: string[] = [];
  for (const node of nodes.slice(0, -1)) {
    const names = new NameFinder(context, owner, parameter);
    const relation = names.relation(node);
    if (relation.isList) throw names.error(node, `"${node.name}" is a list: it has no single value`, code);
    if (path.length >= context.limits.maxDepth) {
      throw names.error(
        node,
        `a path follows at most ${context.limits.maxDepth} relations`,
        'query-too-complex',
      );
    }
    path.push(node.name);
    owner = relation.target;
  }
  return { path, field: new NameFinder(context, owner, parameter).field(last), collection: owner };
}

/** Parses and checks a filter. Throws `QueryError` with the place of the mistake in the parameter's text. */
export function planFilter(
  text: string,
  parameter: string,
  collection: Collection,
  context: PlanContext,
): FilterPlan {
  const record = new VisibleRecordSchema(context.catalog, context.access, collection);
  try {
    const parsed = parseExpression(text, context.limits.expression);
    return { expression: checkExpression(parsed, { record }), slot: parameter };
  } catch (error) {
    throw error instanceof ExpressionError ? filterError(error, parameter) : error;
  }
}

const TOO_COMPLEX: ReadonlySet<string> = new Set(['too-long', 'too-deep', 'too-complex']);

/** An expression's mistake as a request's mistake. */
export function filterError(error: ExpressionError, parameter: string): QueryError {
  let code: QueryErrorCode = 'invalid-filter';
  if (error.code === 'unknown-name') code = 'unknown-field';
  else if (TOO_COMPLEX.has(error.code)) code = 'query-too-complex';
  const { position, suggestion, code: reason } = error;
  return new QueryError(code, error.message, { parameter, position, suggestion, reason }, { cause: error });
}
