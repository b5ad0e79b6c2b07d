import type { FastifyReply, FastifyRequest } from 'fastify';
import { setSessionCookie } from '../../common/http/index.js';
import type { SignedIn } from './sign-in.service.js';

/** Sets the cookie where there is one; gives the body. No cache keeps either (RFC 6749). */
export function sendSignedIn<Body>(
  { body, cookie }: SignedIn<Body>,
  request: FastifyRequest,
  reply: FastifyReply,
): Body {
  void reply.header('cache-control', 'no-store');
  if (cookie !== null) setSessionCookie(request, reply, cookie.value, cookie.maxAgeSeconds);
  return body;
}
