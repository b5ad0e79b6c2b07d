import type { ASTNode } from '@marcbachmann/cel-js';
import type { RecordSchema } from '../environment.js';
import type { TextRange } from '../expression-error.js';
import { suggestName } from '../suggest-name.js';
import type { AuthNode, ExpressionNode, RecordNode } from '../tree.js';
import { describeType, expressionTypeOf, unwrapDomain } from '../value/data-types.js';
import { isStorableText } from '../value/text-forms.js';
import { atNode, type CheckContext, refuse } from './check-context.js';

/** Names that mean the same in every expression; a field of that name is reached through `record`. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['record', 'old', 'auth', 'now']);

export const isReservedName = (name: string): boolean => RESERVED_NAMES.has(name);

/** What a name is wanted for: a foreign key column may bear the name of its relation. */
export type NamePurpose = 'value' | 'structure';

type AstOf<Op extends ASTNode['op']> = Extract<ASTNode, { op: Op }>;

function unknownName(name: string, candidates: Iterable<string>, position: TextRange, where: string): Error {
  const suggestion = suggestName(name, candidates);
  const hint = suggestion === undefined ? '' : ` Did you mean ${JSON.stringify(suggestion)}?`;
  return refuse('unknown-name', `${JSON.stringify(name)} is not known${where}.${hint}`, position, suggestion);
}

function recordNode(root: 'record' | 'old', schema: RecordSchema, position: TextRange): RecordNode {
  return { op: 'record', root, type: { kind: 'record', schema }, start: position.start, end: position.end };
}

const AUTH_MEMBERS: readonly string[] = ['id', 'kind', 'roles', 'claims'];
const AUTH_IS_NO_VALUE = 'Use auth.kind, auth.id, auth.roles or auth.claims.';

function authMember(name: string, position: TextRange): AuthNode {
  const node = { op: 'auth', path: [name], start: position.start, end: position.end } as const;
  if (name === 'id' || name === 'kind') return { ...node, type: { kind: 'string' } };
  if (name === 'roles') return { ...node, type: { kind: 'list', element: { kind: 'string' } } };
  if (name === 'claims') return { ...node, type: { kind: 'claim' } };
  throw unknownName(name, AUTH_MEMBERS, position, ' of auth');
}

function noteField(context: CheckContext, of: ExpressionNode, name: string): void {
  if (of.op !== 'record') return;
  (of.root === 'old' ? context.usage.oldFields : context.usage.fields).add(name);
}

function isStructured(type: ExpressionNode['type']): boolean {
  return type.kind === 'list' || type.kind === 'composite' || type.kind === 'dyn' || type.kind === 'claim';
}

function findRecordMember(
  context: CheckContext,
  of: ExpressionNode,
  schema: RecordSchema,
  name: string,
  position: TextRange,
  purpose: NamePurpose,
): ExpressionNode | null {
  const field = schema.field(name);
  const relation = schema.relation(name);
  const type = field === undefined ? undefined : expressionTypeOf(field.type);
  const { start, end } = position;
  if (type !== undefined && !(relation !== undefined && purpose === 'structure' && !isStructured(type))) {
    noteField(context, of, name);
    return { op: 'field', of, name, type, start, end };
  }
  if (relation === undefined) return null;
  const path = [...context.pathOf(of), name];
  const { maxRelationDepth } = context.parsed.limits;
  if (path.length > maxRelationDepth) {
    throw refuse('too-deep', `The path goes over more than ${maxRelationDepth} relations.`, position);
  }
  context.usage.relations.add(path.join('.'));
  const record = { kind: 'record', schema: relation.target } as const;
  return {
    op: 'relation',
    of,
    name,
    type: relation.isList ? { kind: 'list', element: record } : record,
    start,
    end,
  };
}

/** A part of a value, by name. `start` and `end` are those of the whole expression up to and with the name. */
function checkMember(
  context: CheckContext,
  of: ExpressionNode | 'auth',
  name: string,
  position: TextRange,
  purpose: NamePurpose,
): ExpressionNode {
  if (of === 'auth') return authMember(name, position);
  const { type } = of;
  const { start, end } = position;
  if (type.kind === 'record') {
    const found = findRecordMember(context, of, type.schema, name, position, purpose);
    if (found !== null) return found;
    throw unknownName(name, type.schema.names(), position, ` in ${type.schema.name}`);
  }
  if (type.kind === 'composite') {
    const member = type.data.fields.find((candidate) => candidate.name === name);
    if (member === undefined) {
      const names = type.data.fields.map((candidate) => candidate.name);
      throw unknownName(name, names, position, ` in ${type.data.name}`);
    }
    return { op: 'member', of, name, type: expressionTypeOf(unwrapDomain(member.type)), start, end };
  }
  if (type.kind === 'dyn' || type.kind === 'claim') {
    if (!isStorableText(name))
      throw refuse('bad-literal', 'A key cannot hold NUL or half a surrogate pair.', position);
    if (of.op === 'auth') return { op: 'auth', path: [...of.path, name], type, start, end };
    return { op: 'key', of, key: name, type, start, end };
  }
  const hint = type.kind === 'list' ? ' Use a macro such as exists(x, ...) to look into it.' : '';
  throw refuse('type', `${describeType(type)} has no member ${JSON.stringify(name)}.${hint}`, position);
}

/** `auth` alone is no value, so it is not a node; only its members are. */
function checkOwner(context: CheckContext, ast: ASTNode): ExpressionNode | 'auth' {
  if (ast.op === 'id' && ast.args === 'auth' && context.findVariable('auth') === undefined) {
    context.usage.usesAuth = true;
    return 'auth';
  }
  return checkPath(context, ast, 'structure');
}

function checkName(context: CheckContext, ast: AstOf<'id'>, purpose: NamePurpose): ExpressionNode {
  const name = ast.args;
  const position = atNode(ast);
  const { environment, usage } = context;
  const variable = context.findVariable(name);
  if (variable !== undefined) return { ...variable.node, ...position };
  if (name === 'record') return recordNode('record', environment.record, position);
  if (name === 'now') {
    usage.usesNow = true;
    return { op: 'now', type: { kind: 'timestamp' }, ...position };
  }
  if (name === 'auth') throw refuse('type', AUTH_IS_NO_VALUE, position);
  if (name === 'old') {
    if (environment.old === undefined) {
      throw refuse('unknown-name', '"old" is known only where a record is changed.', position);
    }
    usage.usesOld = true;
    return recordNode('old', environment.old, position);
  }
  const root = recordNode('record', environment.record, position);
  const found = findRecordMember(context, root, environment.record, name, position, purpose);
  if (found !== null) return found;
  const candidates = [...context.variableNames(), ...environment.record.names(), 'auth', 'now'];
  throw unknownName(name, candidates, position, ` in ${environment.record.name}`);
}

function checkIndex(context: CheckContext, ast: AstOf<'[]'>, purpose: NamePurpose): ExpressionNode {
  const [ownerAst, indexAst] = ast.args;
  const position = atNode(ast);
  if (
    indexAst.op === 'value' &&
    typeof indexAst.args === 'string' &&
    !context.parsed.literals.has(indexAst.start)
  ) {
    return checkMember(context, checkOwner(context, ownerAst), indexAst.args, position, purpose);
  }
  const of = checkOwner(context, ownerAst);
  if (of === 'auth') throw refuse('type', AUTH_IS_NO_VALUE, position);
  const index = context.check(context, indexAst);
  const { type } = of;
  const { start, end } = position;
  if (index.type.kind !== 'int') {
    throw refuse(
      'type',
      `An index is an int or a quoted name, not ${describeType(index.type)}.`,
      atNode(indexAst),
    );
  }
  if (!['literal', 'field', 'variable'].includes(index.op)) {
    throw refuse('unsupported', 'An index is a number or a field, not a computation.', atNode(indexAst));
  }
  if (type.kind === 'dyn' || type.kind === 'claim')
    return { op: 'element', of, index, type: { kind: 'dyn' }, start, end };
  const isPlainList =
    type.kind === 'list' && type.element.kind !== 'record' && of.op !== 'filter' && of.op !== 'map';
  if (!isPlainList) {
    const hint =
      type.kind === 'list'
        ? 'The elements of this list have no order'
        : `${describeType(type)} has no elements`;
    throw refuse('type', `${hint}, so none can be taken by its index.`, position);
  }
  return { op: 'element', of, index, type: type.element, start, end };
}

/** Checks a name, a member or an index. */
export function checkPath(context: CheckContext, ast: ASTNode, purpose: NamePurpose): ExpressionNode {
  switch (ast.op) {
    case 'id':
      return checkName(context, ast, purpose);
    case '.':
      return checkMember(context, checkOwner(context, ast.args[0]), ast.args[1], atNode(ast), purpose);
    case '[]':
      return checkIndex(context, ast, purpose);
    default:
      return context.check(context, ast);
  }
}
