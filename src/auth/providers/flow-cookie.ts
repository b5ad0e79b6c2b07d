import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readOwnCookie, setOwnCookie } from '../../common/http/index.js';

const NAME = 'plinth-flow';
const SECRET = /^[\w-]{43}$/;

/** As long as the longest way to a provider and back. */
export const FLOW_SECONDS = 600;

/** What this browser is known by while it is at a provider, or null. */
export function readFlowCookie(request: FastifyRequest): string | null {
  const value = readOwnCookie(request, NAME);
  return value !== null && SECRET.test(value) ? value : null;
}

export const newFlowSecret = (): string => randomBytes(32).toString('base64url');

export const setFlowCookie = (request: FastifyRequest, reply: FastifyReply, secret: string): void =>
  setOwnCookie(request, reply, NAME, secret, FLOW_SECONDS);
