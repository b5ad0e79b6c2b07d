import type { FastifyRequest } from 'fastify';
import { Problem } from '../../common/errors/index.js';
import type { CrossSiteCheck } from '../../common/http/index.js';
import type { SessionKind } from '../sessions/sessions.service.js';

/**
 * Another site could sign somebody in to an account of its own, and read what they do there.
 * @throws Problem `forbidden`
 */
export function refuseForeignCookie(
  { session }: { readonly session?: SessionKind },
  crossSite: CrossSiteCheck,
  request: FastifyRequest,
): void {
  if (session !== 'cookie' || crossSite.isOwn(request)) return;
  throw new Problem('forbidden', { detail: 'A page of another site may not sign in here with a cookie.' });
}
