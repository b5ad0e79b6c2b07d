/** Methods that are told apart; any other word that a client sends as one is `(other)`. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', '(other)'] as const;

type Method = (typeof METHODS)[number];

/** A method at an address with its variables left open. There are as many as the application has routes. */
export interface ObservedRoute {
  readonly method: Method;
  /** `/api/{collection}/{key}`; `(unmatched)` where nothing is at the address. */
  readonly template: string;
}

/** Of a request that was not matched with the routes yet. */
export const NO_ROUTE: ObservedRoute = Object.freeze({ method: '(other)', template: '(unmatched)' });

const knownMethod = (name: string): Method => METHODS.find((method) => method === name) ?? '(other)';

/** One object for each route, so that what belongs to a route can be found by it. */
export class ObservedRoutes {
  private readonly byUrl = new Map<string, Map<string, ObservedRoute>>();
  private readonly unmatched = new Map<string, ObservedRoute>(
    METHODS.map((method) => [method, Object.freeze({ method, template: NO_ROUTE.template })]),
  );

  /** Fastify's `/api/:collection` becomes `/api/{collection}`, as the documentation writes it. */
  add(method: string, url: string): void {
    const template = url.replaceAll(/:(\w+)(\([^)]*\))?/g, '{$1}');
    const routes = this.byUrl.get(url) ?? new Map<string, ObservedRoute>();
    this.byUrl.set(url, routes.set(method, Object.freeze({ method: knownMethod(method), template })));
  }

  find(method: string, url: string | undefined): ObservedRoute {
    const matched = url === undefined ? undefined : this.byUrl.get(url)?.get(method);
    return matched ?? this.unmatched.get(method) ?? NO_ROUTE;
  }
}
