import type { CompositeType, DataType } from '@plinth/schema';
import type { RecordSchema } from './environment.js';
import type { TextRange } from './expression-error.js';
import type { Literal } from './lift-literals.js';

/**
 * What kind of value a node has. `data` is there where the value comes straight out of a column: the column's type
 * without its domains, so that a comparison can stay in it.
 *
 * `dyn` is JSON out of the database, `claim` is JSON of the actor: it takes the type of what it meets.
 */
export type ExpressionType =
  | { readonly kind: ScalarKind; readonly data?: DataType }
  | { readonly kind: 'list'; readonly element: ExpressionType; readonly data?: DataType }
  | { readonly kind: 'record'; readonly schema: RecordSchema; readonly data?: undefined }
  | { readonly kind: 'composite'; readonly data: CompositeType };

export type ScalarKind =
  | 'bool'
  | 'int'
  | 'double'
  | 'decimal'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'null'
  | 'dyn'
  | 'claim';

/**
 * In which domain two values are compared. Decided once, by the checker, so that SQL and memory cannot differ.
 * `float4`: a literal meets a `real` column and is rounded as the column was. `citext`: without regard to the case of
 * ASCII letters. `enum`: in the order of the labels. `json`: as JSON values.
 */
export type ComparisonMode =
  | 'bool'
  | 'int'
  | 'double'
  | 'float4'
  | 'decimal'
  | 'text'
  | 'citext'
  | 'uuid'
  | 'enum'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'json';

/** Two values meet: the domain they are compared in and, for `enum` and `uuid`, the type whose values they are. */
export interface Comparison {
  readonly mode: ComparisonMode;
  readonly data?: DataType;
}

export type RelationalOperator = '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
/** In which domain an operator computes. */
export type ArithmeticMode =
  | 'int'
  | 'double'
  | 'decimal'
  | 'string'
  | 'timestamp-duration'
  | 'timestamp-timestamp'
  | 'duration-timestamp';

export type FunctionName =
  | 'startsWith'
  | 'endsWith'
  | 'contains'
  | 'matches'
  | 'size'
  | 'lowerAscii'
  | 'upperAscii'
  | 'int'
  | 'double'
  | 'string'
  | CalendarField;

export type CalendarField =
  | 'getFullYear'
  | 'getMonth'
  | 'getDate'
  | 'getDayOfMonth'
  | 'getDayOfWeek'
  | 'getDayOfYear'
  | 'getHours'
  | 'getMinutes'
  | 'getSeconds'
  | 'getMilliseconds';

export type QuantifierName = 'exists' | 'all' | 'exists_one';

interface NodeShape extends TextRange {
  readonly type: ExpressionType;
}

/** `timestamp("...")` and `duration("...")` are literals too, of those types. */
export interface LiteralNode extends NodeShape {
  readonly op: 'literal';
  readonly literal: Literal;
  /** Its number among the literals of the text. */
  readonly index: number;
  /** True where a minus sign stands before it: `-9223372036854775808` is one literal. */
  readonly isNegated: boolean;
}

export interface ConstantNode extends NodeShape {
  readonly op: 'constant';
  readonly value: boolean | null;
}

/** The record itself, or the record before the update. */
export interface RecordNode extends NodeShape {
  readonly op: 'record';
  readonly root: 'record' | 'old';
  readonly type: Extract<ExpressionType, { kind: 'record' }>;
}

export interface VariableNode extends NodeShape {
  readonly op: 'variable';
  /** Unique in the tree. */
  readonly id: number;
  readonly name: string;
}

export interface FieldNode extends NodeShape {
  readonly op: 'field';
  readonly of: ExpressionNode;
  readonly name: string;
}

/** The far side of a relation: a record, or a list of records. */
export interface RelationNode extends NodeShape {
  readonly op: 'relation';
  readonly of: ExpressionNode;
  readonly name: string;
}

/** A part of a composite value. */
export interface MemberNode extends NodeShape {
  readonly op: 'member';
  readonly of: ExpressionNode;
  readonly name: string;
}

/** A value of the actor: `kind`, `id`, `roles` or a path of claims. */
export interface AuthNode extends NodeShape {
  readonly op: 'auth';
  readonly path: readonly string[];
}

export interface NowNode extends NodeShape {
  readonly op: 'now';
}

/** A key of a JSON object. */
export interface KeyNode extends NodeShape {
  readonly op: 'key';
  readonly of: ExpressionNode;
  readonly key: string;
}

/** An element of a list or of a JSON array. */
export interface ElementNode extends NodeShape {
  readonly op: 'element';
  readonly of: ExpressionNode;
  readonly index: ExpressionNode;
}

/** `&&` or `||` over two or more operands. */
export interface LogicNode extends NodeShape {
  readonly op: 'and' | 'or';
  readonly operands: readonly ExpressionNode[];
}

export interface NotNode extends NodeShape {
  readonly op: 'not';
  readonly operand: ExpressionNode;
}

export interface ConditionalNode extends NodeShape {
  readonly op: 'conditional';
  readonly condition: ExpressionNode;
  readonly whenTrue: ExpressionNode;
  readonly whenFalse: ExpressionNode;
}

export interface EqualityNode extends NodeShape {
  readonly op: 'equality';
  readonly isNegated: boolean;
  readonly left: ExpressionNode;
  readonly right: ExpressionNode;
  readonly comparison: Comparison;
}

/** `x == null`, `has(x)`. Its operand may be a record. */
export interface NullTestNode extends NodeShape {
  readonly op: 'null-test';
  readonly isNegated: boolean;
  readonly operand: ExpressionNode;
}

export interface RelationalNode extends NodeShape {
  readonly op: 'relational';
  readonly operator: RelationalOperator;
  readonly left: ExpressionNode;
  readonly right: ExpressionNode;
  readonly comparison: Comparison;
}

export interface ArithmeticNode extends NodeShape {
  readonly op: 'arithmetic';
  readonly operator: ArithmeticOperator;
  readonly mode: ArithmeticMode;
  readonly left: ExpressionNode;
  readonly right: ExpressionNode;
}

export interface MinusNode extends NodeShape {
  readonly op: 'minus';
  readonly operand: ExpressionNode;
}

/**
 * JSON (`dyn` or `claim`) taken as a value of the node's type, null where it holds something else; or a number taken
 * into a wider kind of number.
 */
export interface CoercionNode extends NodeShape {
  readonly op: 'coercion';
  readonly operand: ExpressionNode;
}

export interface CallNode extends NodeShape {
  readonly op: 'call';
  readonly name: FunctionName;
  /** The receiver first, where there is one. */
  readonly arguments: readonly ExpressionNode[];
}

export interface ListNode extends NodeShape {
  readonly op: 'list';
  readonly elements: readonly ExpressionNode[];
}

/** `x in list`. */
export interface MembershipNode extends NodeShape {
  readonly op: 'membership';
  readonly needle: ExpressionNode;
  /** A list literal has its elements coerced already. */
  readonly list: ExpressionNode;
  /** Stands for each element of a list that is no literal. */
  readonly variable: VariableNode;
  /** The variable as it is compared: itself, or a coercion of it. */
  readonly element: ExpressionNode;
  readonly comparison: Comparison;
}

export interface QuantifierNode extends NodeShape {
  readonly op: 'quantifier';
  readonly name: QuantifierName;
  readonly source: ExpressionNode;
  readonly variable: VariableNode;
  readonly predicate: ExpressionNode;
}

/** `list.filter(x, p)` and `list.map(x, e)`: sequences, used up by `size`, `in` or another macro. */
export interface SequenceNode extends NodeShape {
  readonly op: 'filter' | 'map';
  readonly source: ExpressionNode;
  readonly variable: VariableNode;
  readonly body: ExpressionNode;
}

/** A node of the typed tree. Plain, immutable data. */
export type ExpressionNode =
  | LiteralNode
  | ConstantNode
  | RecordNode
  | VariableNode
  | FieldNode
  | RelationNode
  | MemberNode
  | AuthNode
  | NowNode
  | KeyNode
  | ElementNode
  | LogicNode
  | NotNode
  | ConditionalNode
  | EqualityNode
  | NullTestNode
  | RelationalNode
  | ArithmeticNode
  | MinusNode
  | CoercionNode
  | CallNode
  | ListNode
  | MembershipNode
  | QuantifierNode
  | SequenceNode;

/**
 * Whether a node is a value of the actor, such as `auth.id` or `auth.claims.company`. One that the actor does not have
 * equals nothing, not even null: `owner_id == auth.id` must not give the records without an owner to whoever is not
 * signed in, nor those without a company to a key that lacks the claim. In CEL, too, a missing key is no value but an
 * error. `auth.id == null` asks for it by name.
 */
export const isActorValue = (node: ExpressionNode): boolean =>
  node.op === 'auth' || (node.op === 'coercion' && isActorValue(node.operand));
