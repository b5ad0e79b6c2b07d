import { Environment, ParseError, type ASTNode } from '@marcbachmann/cel-js';
import { ExpressionError, type TextRange } from './expression-error.js';
import { DEFAULT_EXPRESSION_LIMITS, type ExpressionLimits } from './expression-limits.js';
import { liftLiterals, type Literal } from './lift-literals.js';
import { isStorableText } from './value/text-forms.js';

/** A literal that stands in the tree, with its number among the literals of the text. */
interface NumberedLiteral {
  readonly literal: Literal;
  readonly index: number;
}

/** A text that is CEL, not yet checked against any record. */
export interface ParsedExpression {
  readonly text: string;
  readonly limits: ExpressionLimits;
  readonly ast: ASTNode;
  /** By the offset at which the literal begins. */
  readonly literals: ReadonlyMap<number, NumberedLiteral>;
}

/** The parser counts otherwise than we do; its limits only keep it from running away before ours are checked. */
const parsers = new Map<number, Environment>();

function parserFor(limits: ExpressionLimits): Environment {
  let parser = parsers.get(limits.maxDepth);
  if (parser === undefined) {
    parser = new Environment({
      limits: {
        maxAstNodes: 100_000,
        maxDepth: limits.maxDepth * 2,
        maxListElements: 100_000,
        maxCallArguments: 8,
      },
    });
    if (parsers.size > 16) parsers.clear();
    parsers.set(limits.maxDepth, parser);
  }
  return parser;
}

function syntaxError(error: unknown, text: string): ExpressionError {
  const whole = { start: 0, end: text.length };
  if (error instanceof RangeError) {
    return new ExpressionError('too-deep', 'The expression is nested too deeply.', whole, undefined, {
      cause: error,
    });
  }
  if (!(error instanceof ParseError)) throw error;
  const position = error.range === undefined ? whole : { start: error.range.start, end: error.range.end };
  if (error.code === 'limit_exceeded') {
    const isDepth = error.summary.includes('maxDepth');
    return isDepth
      ? new ExpressionError('too-deep', 'The expression is nested too deeply.', position, undefined, {
          cause: error,
        })
      : new ExpressionError('too-complex', 'The expression has too many parts.', position, undefined, {
          cause: error,
        });
  }
  return new ExpressionError('syntax', error.summary, position, undefined, { cause: error });
}

/** Runs of unary operators recurse in the parser without counting as depth, so they are bounded before it runs. */
function refuseLongRuns(text: string, limits: ExpressionLimits): void {
  let run = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 33 || code === 45) {
      run += 1;
      if (run > limits.maxDepth) {
        throw new ExpressionError('too-deep', 'The expression is nested too deeply.', {
          start: at,
          end: at + 1,
        });
      }
    } else if (code !== 32 && code !== 9 && code !== 10 && code !== 13) run = 0;
  }
}

interface AstChild {
  readonly node: ASTNode;
  readonly depth: number;
}

const isNode = (value: unknown): value is ASTNode =>
  typeof value === 'object' && value !== null && 'op' in value;

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '!_':
    case '-_':
      return [node.args];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    default:
      return [...node.args].filter(isNode);
  }
}

/** Walks the tree with a stack of its own: a left-leaning tree is as deep as its text is long. */
function refuseLargeTrees(root: ASTNode, limits: ExpressionLimits): void {
  const pending: AstChild[] = [{ node: root, depth: 1 }];
  let nodes = 0;
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const { node, depth } = item;
    const position = { start: node.start, end: node.end };
    if (depth > limits.maxDepth) {
      throw new ExpressionError(
        'too-deep',
        `The expression is nested deeper than ${limits.maxDepth} levels.`,
        position,
      );
    }
    nodes += 1;
    if (nodes > limits.maxNodes) {
      throw new ExpressionError(
        'too-complex',
        `The expression has more than ${limits.maxNodes} parts.`,
        position,
      );
    }
    const isList = node.op === 'list';
    if (isList && node.args.length > limits.maxListElements) {
      throw new ExpressionError(
        'too-complex',
        `The list has ${node.args.length} elements, more than the ${limits.maxListElements} that are allowed.`,
        position,
      );
    }
    for (const child of childrenOf(node)) {
      if (isList && child.op === 'value') continue;
      const isChain = child.op === node.op && (node.op === '&&' || node.op === '||');
      pending.push({ node: child, depth: isChain ? depth : depth + 1 });
    }
  }
}

function refuseUnstorableLiteral(literal: Literal): void {
  if (literal.kind === 'string' && !isStorableText(literal.value)) {
    const position: TextRange = { start: literal.start, end: literal.end };
    throw new ExpressionError('bad-literal', 'A text cannot hold NUL or half of a surrogate pair.', position);
  }
}

/**
 * Parses CEL. Nothing is known of names and types yet.
 *
 * @throws ExpressionError with `syntax`, `too-long`, `too-deep`, `too-complex` or `bad-literal`.
 */
export function parseExpression(text: string, limits?: Partial<ExpressionLimits>): ParsedExpression {
  const inForce = { ...DEFAULT_EXPRESSION_LIMITS, ...limits };
  if (text.length > inForce.maxLength) {
    throw new ExpressionError(
      'too-long',
      `The expression has ${text.length} characters, more than the ${inForce.maxLength} that are allowed.`,
      { start: inForce.maxLength, end: text.length },
    );
  }
  refuseLongRuns(text, inForce);
  const { literals } = liftLiterals(text);
  let ast: ASTNode;
  try {
    ast = parserFor(inForce).parse(text).ast;
  } catch (error) {
    throw syntaxError(error, text);
  }
  refuseLargeTrees(ast, inForce);
  literals.forEach((literal) => refuseUnstorableLiteral(literal));
  const byStart = new Map(literals.map((literal, index) => [literal.start, { literal, index }]));
  return { text, limits: inForce, ast, literals: byStart };
}
