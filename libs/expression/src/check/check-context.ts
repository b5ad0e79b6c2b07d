import type { ASTNode } from '@marcbachmann/cel-js';
import type { DataType } from '@plinth/schema';
import type { RecordSchema } from '../environment.js';
import { ExpressionError, type ExpressionErrorCode, type TextRange } from '../expression-error.js';
import type { ParsedExpression } from '../parse-expression.js';
import type { ExpressionNode, ExpressionType, VariableNode } from '../tree.js';

/** What an expression may speak of, and what it must give. */
export interface CheckEnvironment {
  readonly record: RecordSchema;
  /** The record before an update; `old` does not exist without it. */
  readonly old?: RecordSchema;
  /** `bool`: a predicate. A column's type: a value that can be stored there, as presets need. Default `bool`. */
  readonly expected?: 'bool' | DataType;
  /**
   * Every kind of actor, so that a literal beside `auth.kind` can be held against them. Only for a text that keeps its
   * literals, as that of a policy does: the plan of a request is used again with others.
   */
  readonly actorKinds?: readonly string[];
}

/** What was used, gathered while checking. */
export interface Usage {
  readonly fields: Set<string>;
  readonly oldFields: Set<string>;
  readonly relations: Set<string>;
  usesOld: boolean;
  usesNow: boolean;
  usesAuth: boolean;
  patterns: number;
}

/** A macro's variable and where its records come from. */
export interface BoundVariable {
  readonly node: VariableNode;
  /** For records: the relation path that leads to them, empty for the record itself. */
  readonly path: readonly string[];
}

export const atNode = (ast: ASTNode): TextRange => ({ start: ast.start, end: ast.end });

export const refuse = (
  code: ExpressionErrorCode,
  message: string,
  position: TextRange,
  suggestion?: string,
): ExpressionError => new ExpressionError(code, message, position, suggestion);

/** Carries the environment, the variables in force and the usage through the checker. */
export class CheckContext {
  private variables: ReadonlyMap<string, BoundVariable> = new Map();
  private nextVariableId = 0;
  readonly usage: Usage = {
    fields: new Set(),
    oldFields: new Set(),
    relations: new Set(),
    usesOld: false,
    usesNow: false,
    usesAuth: false,
    patterns: 0,
  };
  /** By variable id, for the paths of relations that begin at a variable. */
  private readonly paths = new Map<number, readonly string[]>();

  constructor(
    readonly parsed: ParsedExpression,
    readonly environment: CheckEnvironment,
    /** Checks any node; given here so that the parts of the checker need not import one another in a circle. */
    readonly check: (context: CheckContext, ast: ASTNode) => ExpressionNode,
  ) {}

  findVariable(name: string): BoundVariable | undefined {
    return this.variables.get(name);
  }

  variableNames(): Iterable<string> {
    return this.variables.keys();
  }

  createVariable(name: string, type: ExpressionType, position: TextRange): VariableNode {
    const id = this.nextVariableId;
    this.nextVariableId += 1;
    return { op: 'variable', id, name, type, start: position.start, end: position.end };
  }

  /** Runs `body` with a variable in force. */
  withVariable<T>(variable: BoundVariable, body: () => T): T {
    const outer = this.variables;
    this.variables = new Map([...outer, [variable.node.name, variable]]);
    this.paths.set(variable.node.id, variable.path);
    const result = body();
    this.variables = outer;
    return result;
  }

  /** The relation path that leads to the records a node stands for. */
  pathOf(node: ExpressionNode): readonly string[] {
    switch (node.op) {
      case 'relation':
        return [...this.pathOf(node.of), node.name];
      case 'variable':
        return this.paths.get(node.id) ?? [];
      case 'filter':
        return this.pathOf(node.source);
      default:
        return [];
    }
  }
}
