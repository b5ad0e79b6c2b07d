import type { CheckedExpression } from './check/check-expression.js';
import type { TextRange } from './expression-error.js';
import { liftLiterals } from './lift-literals.js';
import type { ExpressionNode } from './tree.js';

/** A condition within an expression, which can be compiled and evaluated on its own. */
export interface SubExpression extends TextRange {
  readonly text: string;
  readonly checked: CheckedExpression;
}

/** The range with the parentheses that it cuts through: nodes begin and end at their operands. */
function withParentheses(text: string, { start, end }: TextRange): TextRange {
  const { literals } = liftLiterals(text);
  const isCode = (at: number): boolean =>
    !literals.some((literal) => at >= literal.start && at < literal.end);
  let depth = 0;
  let missing = 0;
  for (let at = start; at < end; at += 1) {
    const char = text[at];
    if ((char !== '(' && char !== ')') || !isCode(at)) continue;
    depth += char === '(' ? 1 : -1;
    missing = Math.max(missing, -depth);
  }
  let from = start;
  for (let left = missing; left > 0 && from > 0;) {
    from -= 1;
    if (text[from] === '(') left -= 1;
  }
  let to = end;
  for (let left = depth + missing; left > 0 && to < text.length; to += 1) if (text[to] === ')') left -= 1;
  return { start: from, end: to };
}

/** The parts in which a condition of the same record can stand; never the bodies of macros, which speak of elements. */
function partsOf(node: ExpressionNode): readonly ExpressionNode[] {
  switch (node.op) {
    case 'and':
    case 'or':
      return node.operands;
    case 'not':
      return [node.operand];
    case 'conditional':
      return [node.condition, node.whenTrue, node.whenFalse];
    case 'equality':
      return [node.left, node.right];
    default:
      return [];
  }
}

/** Every condition within an expression, the whole first, each before its parts, in the order of the text. */
export function explainExpression(checked: CheckedExpression): readonly SubExpression[] {
  const found: SubExpression[] = [];
  const visit = (node: ExpressionNode): void => {
    if (node.type.kind === 'bool' && node.op !== 'constant') {
      const { start, end } = withParentheses(checked.text, node);
      const text = checked.text.slice(start, end);
      found.push({ text, start, end, checked: { ...checked, root: node, expected: undefined } });
    }
    for (const part of partsOf(node)) visit(part);
  };
  visit(checked.root);
  return found;
}
