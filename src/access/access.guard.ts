import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { HttpRequestContext, PUBLIC_ACTOR, type Actor } from '../common/context/index.js';
import { Problem } from '../common/errors/index.js';
import { ACCESS_DECISION, type AccessDecision } from '../common/http/index.js';
import { KeyDirectory } from './keys/key-directory.js';
import { KEY_START } from './keys/key-format.js';
import { ADMIN_ROLE } from './roles/reserved-roles.js';

/** Finds out who asks, and whether the route is for them. Runs before every handler of the application. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const decision = this.decisionFor(execution);
    // A host application may have handlers that are no routes. Nobody can be identified there.
    if (execution.getType() !== 'http') return decision === 'public';
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const actor = await this.identify(request);
    request.plinth = new HttpRequestContext(request, actor);
    decide(actor, decision);
    return true;
  }

  private decisionFor(execution: ExecutionContext): AccessDecision | undefined {
    return this.reflector.getAllAndOverride<AccessDecision | undefined>(ACCESS_DECISION, [
      execution.getHandler(),
      execution.getClass(),
    ]);
  }

  private async identify(request: FastifyRequest): Promise<Actor> {
    const key = readCredential(request);
    if (key === null) return PUBLIC_ACTOR;
    const actor = await this.keys.findActor(key);
    if (actor === null) throw refusedCredential();
    return actor;
  }
}

/** @throws Problem `unauthenticated` or `forbidden` */
function decide(actor: Actor, decision: AccessDecision | undefined): void {
  if (decision === 'public') return;
  if (actor.kind === 'public') {
    throw unauthenticated('This address needs a credential: send "Authorization: Bearer <key>".');
  }
  if (decision === 'authenticated') return;
  // A route without a decision cannot be reached: the application does not start with one. Closed all the same.
  if (decision !== 'admin' || !actor.roles.includes(ADMIN_ROLE)) {
    throw new Problem('forbidden', { detail: 'This address is for the role "admin".' });
  }
}

/** The key that a request carries, or null for none. Two that differ are a mistake, and neither is taken. */
function readCredential({ headers }: FastifyRequest): string | null {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (authorization === undefined && apiKey === undefined) return null;
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (authorization !== undefined && !bearer?.startsWith(KEY_START)) {
    throw refusedCredential();
  }
  if (Array.isArray(apiKey) || (bearer !== undefined && apiKey !== undefined && bearer !== apiKey)) {
    throw unauthenticated('The request carries two different credentials.', 'invalid_request');
  }
  return bearer ?? apiKey ?? null;
}

/** RFC 6750: no `error` where there was no credential at all. */
const unauthenticated = (detail: string, error?: 'invalid_token' | 'invalid_request'): Problem =>
  new Problem('unauthenticated', {
    detail,
    headers: {
      'www-authenticate': `Bearer realm="plinth"${error === undefined ? '' : `, error="${error}"`}`,
    },
  });

/** One answer for all credentials that do not hold, so that it tells nothing about them. */
const refusedCredential = (): Problem =>
  unauthenticated('The credential is unknown, malformed, expired or revoked.', 'invalid_token');
