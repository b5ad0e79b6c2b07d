import type { FastifyReply, FastifyRequest } from 'fastify';

/** Two hours: no browser keeps a preflight's answer for longer. */
const MAX_AGE_SECONDS = '7200';

const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** What scripts may read of an answer, besides its body and content type. */
const EXPOSED_HEADERS = [
  'ETag',
  'Location',
  'Link',
  'Allow',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Preference-Applied',
  'Idempotency-Replayed',
  'Plinth-Position',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');

/** A list of header names, as a browser sends it. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~ ,-]{1,2048}$/;

/**
 * Lets pages of other origins use the API: cross-origin resource sharing after the Fetch standard. Closed where the
 * configuration names no origin. Of `*`, answers are for everybody and browsers send no cookies.
 */
export class Cors {
  readonly isOpen: boolean;
  private readonly isForAll: boolean;
  private readonly exact: ReadonlySet<string>;
  private readonly subdomains: readonly { readonly start: string; readonly end: string }[];

  /** @param origins as of `isOrigin` */
  constructor(origins: readonly string[]) {
    this.isOpen = origins.length > 0;
    this.isForAll = origins.includes('*');
    this.exact = new Set(origins.filter((origin) => !origin.includes('*')));
    this.subdomains = origins
      .filter((origin) => origin.includes('://*.'))
      .map((origin) => {
        const [start = '', end = ''] = origin.split('*');
        return { start, end };
      });
  }

  /**
   * Says in the answer's headers whether the request's origin may read it. A preflight is answered here.
   * @returns whether the request was a preflight, which needs nothing more
   */
  apply({ method, headers }: FastifyRequest, reply: FastifyReply): boolean {
    const { origin } = headers;
    // For answers that say nothing else of it, and for those that no hook sees.
    if (!this.isForAll) void reply.header('vary', 'Origin');
    if (origin === undefined || !this.allows(origin)) return false;
    if (this.isForAll) void reply.header('access-control-allow-origin', '*');
    else {
      void reply
        .header('access-control-allow-origin', origin)
        .header('access-control-allow-credentials', 'true');
    }
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
      void reply.header('access-control-expose-headers', EXPOSED_HEADERS);
      return false;
    }
    this.answerPreflight(headers['access-control-request-headers'], reply);
    return true;
  }

  /** `Vary` for an answer that differs by origin, with what it has of its own. */
  vary(own: string | undefined): string | undefined {
    if (this.isForAll || own?.split(', ').includes('Origin')) return own;
    return own === undefined ? 'Origin' : `${own}, Origin`;
  }

  /** Whether pages of an origin may use the API with cookies. */
  allowsCookies(origin: string): boolean {
    return !this.isForAll && this.allows(origin);
  }

  private allows(origin: string): boolean {
    return (
      this.isForAll ||
      this.exact.has(origin) ||
      this.subdomains.some(
        ({ start, end }) =>
          origin.startsWith(start) &&
          origin.endsWith(end) &&
          // The part for the `*`: labels of a host name, so that no other host can end in the same way.
          /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(origin.slice(start.length, -end.length)),
      )
    );
  }

  /** Whether the address takes the method, the request itself will tell: its answer can be read. */
  private answerPreflight(requestedHeaders: string | undefined, reply: FastifyReply): void {
    void reply
      .code(204)
      .header('access-control-allow-methods', ALLOWED_METHODS)
      .header('access-control-max-age', MAX_AGE_SECONDS)
      .header('cache-control', 'no-store');
    if (requestedHeaders !== undefined && HEADER_NAMES.test(requestedHeaders)) {
      void reply
        .header('access-control-allow-headers', requestedHeaders)
        .header('vary', 'Access-Control-Request-Headers');
    }
    void reply.send();
  }
}
