import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { actorKey, PUBLIC_ACTOR, type Actor } from '../common/context/index.js';

const MAX_USER_AGENT = 400;

/** Where a request comes from, as sessions and the audit keep it. */
export interface Client {
  readonly address: string;
  readonly userAgent: string | null;
  readonly requestId: string;
  /** Who did it, as `actorKey` writes it; of an administrator who acts as somebody, the administrator. */
  readonly actor: string;
}

/** Of somebody who acts as another, it is they who did it. */
const whoActs = (actor: Actor): string => {
  const actedBy = actor.session?.actedBy;
  return actedBy === undefined ? actorKey(actor) : `user:${actedBy}`;
};

/** Gives a handler where its request comes from: `signIn(@FromClient() client: Client)`. */
export const FromClient = createParamDecorator((_data: unknown, execution: ExecutionContext): Client => {
  const { headers, id, plinth } = execution.switchToHttp().getRequest<FastifyRequest>();
  return {
    address: plinth?.address ?? 'unknown',
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT).toWellFormed() ?? null,
    requestId: id,
    actor: whoActs(plinth?.actor ?? PUBLIC_ACTOR),
  };
});

/** Who acts where there is no request: a start, or the command line. */
export const LOCAL_CLIENT: Client = Object.freeze({
  address: 'local',
  userAgent: null,
  requestId: 'local',
  actor: 'operator',
});
