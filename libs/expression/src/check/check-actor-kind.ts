import { suggestName } from '../suggest-name.js';
import type { ExpressionNode } from '../tree.js';
import { type CheckContext, refuse } from './check-context.js';

const isActorKind = (node: ExpressionNode): boolean => node.op === 'auth' && node.path[0] === 'kind';

/**
 * Refuses a text that is compared with `auth.kind` and is none, where the environment knows them all: `!= "usr"` would
 * hold for everybody.
 *
 * @throws ExpressionError `bad-literal`
 */
export function refuseUnknownKind(context: CheckContext, left: ExpressionNode, right: ExpressionNode): void {
  const { actorKinds } = context.environment;
  const [kind, other] = isActorKind(left) ? [left, right] : [right, left];
  if (actorKinds === undefined || !isActorKind(kind) || other.op !== 'literal') return;
  const { value } = other.literal;
  if (actorKinds.includes(value)) return;
  const suggestion = suggestName(value, actorKinds);
  const hint = suggestion === undefined ? '' : ` Did you mean ${JSON.stringify(suggestion)}?`;
  const kinds = actorKinds.map((known) => JSON.stringify(known)).join(', ');
  throw refuse('bad-literal', `auth.kind is one of ${kinds}.${hint}`, other, suggestion);
}
