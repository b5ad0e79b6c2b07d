import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { PlinthConfig } from '../config/index.js';
import { Cors } from './cors.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Tells requests that a page of this origin made from those that another site made a browser send with this one's cookie
 * (cross-site request forgery). Browsers say so themselves, in `Sec-Fetch-Site` or `Origin`, and pages cannot change that;
 * what comes from no browser says neither. Origins of `PLINTH_CORS_ORIGINS` may, but for `*`.
 */
@Injectable()
export class CrossSiteCheck {
  private readonly cors: Cors;

  constructor({ corsOrigins }: PlinthConfig) {
    this.cors = new Cors(corsOrigins);
  }

  /** Whether a request may do what its cookie allows. */
  isOwn(request: FastifyRequest): boolean {
    if (SAFE_METHODS.has(request.method)) return true;
    const site = request.headers['sec-fetch-site'];
    if (site === 'same-origin' || site === 'none') return true;
    const { origin } = request.headers;
    if (origin === undefined) return site === undefined;
    const isSameOrigin = origin === `${request.protocol}://${request.host}`;
    return (site === undefined && isSameOrigin) || this.cors.allowsCookies(origin);
  }
}
