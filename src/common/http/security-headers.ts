import type { FastifyReply } from 'fastify';

/**
 * For an answer that is no page: should a browser show it as one all the same, then in no frame, and nothing in it runs
 * or loads. Pages have a policy of their own.
 */
const CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'";

/**
 * Headers that every answer has. There is no `Server` and no `X-Powered-By`: neither Node nor Fastify send any.
 *
 * `Cross-Origin-Resource-Policy` keeps other sites from loading answers as if they were images or scripts; reading them
 * by CORS is not its matter.
 */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** The same as lines of an answer that the framework has no part in. */
export const SECURITY_HEADER_LINES: readonly string[] = Object.entries(HEADERS).map(
  ([name, value]) => `${name}: ${value}`,
);

export function setSecurityHeaders(reply: FastifyReply): void {
  void reply.headers(HEADERS);
}
