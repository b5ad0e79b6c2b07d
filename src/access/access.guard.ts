import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpRequestContext, PUBLIC_ACTOR, type Actor } from '../common/context/index.js';
import { Problem } from '../common/errors/index.js';
import {
  ACCESS_DECISION,
  ACCESS_OPTIONS,
  CrossSiteCheck,
  isAlwaysAnswered,
  RECENT_AUTH,
  removeSessionCookie,
  TrustedProxies,
  type AccessDecision,
  type AccessOptions,
  type RecentAuth,
} from '../common/http/index.js';
import { RateLimits, type RateHeaders } from '../common/rate-limit/index.js';
import {
  endedCredential,
  noCredential,
  readCredential,
  refusedCredential,
  type Credential,
} from './credential.js';
import { KeyDirectory } from './keys/key-directory.js';
import { requireRecentAuth } from './recent-auth.js';
import { ADMIN_ROLE } from './roles/reserved-roles.js';
import { SessionCredentials, type Recognised } from './session-credentials.js';

/** What a route declares. */
interface RouteRules {
  readonly decision: AccessDecision | undefined;
  readonly token: string | null;
  readonly ignoresCredentials: boolean;
  readonly allowsActing: boolean;
  readonly recentAuth: RecentAuth | undefined;
}

interface Call {
  readonly http: ReturnType<ExecutionContext['switchToHttp']>;
  readonly request: FastifyRequest;
  readonly rules: RouteRules;
}

/**
 * Finds out who asks, whether they ask too often, and whether the route is for them. Runs before every handler of the
 * application.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  /** By controller and handler: metadata does not change while the server runs. */
  private readonly rules = new WeakMap<object, Map<unknown, RouteRules>>();

  constructor(
    private readonly keys: KeyDirectory,
    private readonly sessions: SessionCredentials,
    private readonly reflector: Reflector,
    private readonly proxies: TrustedProxies,
    private readonly limits: RateLimits,
    private readonly crossSite: CrossSiteCheck,
  ) {}

  /** At once for callers who are known: a hot request does not wait for a turn of the event loop. */
  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const rules = this.rulesFor(execution);
    // A host application may have handlers that are no routes. Nobody can be identified there.
    if (execution.getType() !== 'http') return rules.decision === 'public';
    const http = execution.switchToHttp();
    const call = { http, request: http.getRequest<FastifyRequest>(), rules };
    if (rules.ignoresCredentials) return this.admit(call, PUBLIC_ACTOR);
    let credential: Credential | null;
    try {
      credential = readCredential(call.request);
    } catch (error) {
      return this.refuse(call, error);
    }
    if (credential === null) return this.admit(call, PUBLIC_ACTOR);
    if (opensRoute(rules, credential)) {
      call.request.plinth = new HttpRequestContext(call.request, PUBLIC_ACTOR, this.proxies);
      return true;
    }
    const { kind } = credential;
    const found = this.recognise(credential);
    return found instanceof Promise
      ? this.outlast(found, call).then((recognised) => this.receive(call, kind, recognised))
      : this.receive(call, kind, found);
  }

  private recognise({ kind, text }: Credential): Recognised | Promise<Recognised> {
    if (kind === 'key') return this.keys.findActor(text);
    return kind === 'token' ? this.sessions.findByToken(text) : this.sessions.findByCookie(text);
  }

  /** What operators ask is answered without the database, too: who asks does not matter where everybody may. */
  private async outlast(found: Promise<Recognised>, { request, rules }: Call): Promise<Recognised> {
    try {
      return await found;
    } catch (error) {
      if (rules.decision === 'public' && isAlwaysAnswered(request)) return PUBLIC_ACTOR;
      throw error;
    }
  }

  private receive(call: Call, kind: Credential['kind'], recognised: Recognised): boolean | Promise<boolean> {
    if (recognised === null) return this.refuse(call, refusedCredential());
    if (recognised === 'ended') {
      // The browser cannot know, and its pages cannot remove it.
      if (kind === 'cookie') removeSessionCookie(call.request, call.http.getResponse<FastifyReply>());
      throw endedCredential();
    }
    if (kind === 'cookie' && !this.crossSite.isOwn(call.request)) {
      throw new Problem('forbidden', {
        detail: 'A page of another site may not do this with the cookie of this one.',
      });
    }
    return this.admit(call, recognised);
  }

  private admit({ http, request, rules }: Call, actor: Actor): boolean | Promise<boolean> {
    const context = new HttpRequestContext(request, actor, this.proxies);
    request.plinth = context;
    if (actor.session?.actedBy !== undefined) refuseActing(request, rules);
    if (!this.limits.isCounted(actor) || isAlwaysAnswered(request)) return decide(actor, rules);
    const finish = (headers: RateHeaders): boolean => {
      void http.getResponse<FastifyReply>().headers(headers);
      return decide(actor, rules);
    };
    const counted = this.limits.count(context, 1);
    return counted instanceof Promise ? counted.then(finish) : finish(counted);
  }

  /** Counts a wrong credential before it is told to be one. */
  private async refuse({ request }: Call, refusal: unknown): Promise<never> {
    await this.limits.noteWrongCredential(this.proxies.clientAddress(request));
    throw refusal;
  }

  private rulesFor(execution: ExecutionContext): RouteRules {
    const [controller, handler] = [execution.getClass(), execution.getHandler()];
    let known = this.rules.get(controller);
    if (known === undefined) this.rules.set(controller, (known = new Map()));
    let rules = known.get(handler);
    if (rules === undefined) {
      rules = this.readRules([handler, controller]);
      known.set(handler, rules);
    }
    return rules;
  }

  private readRules(places: Parameters<Reflector['getAllAndOverride']>[1]): RouteRules {
    const read = (key: string): unknown => this.reflector.getAllAndOverride<unknown>(key, places);
    const options = read(ACCESS_OPTIONS) as AccessOptions | undefined;
    return {
      decision: read(ACCESS_DECISION) as AccessDecision | undefined,
      token: options?.token ?? null,
      ignoresCredentials: options?.credentials === 'ignored',
      allowsActing: options?.acting === 'allowed',
      recentAuth: read(RECENT_AUTH) as RecentAuth | undefined,
    };
  }
}

/** Whether it is the token of this one route. */
const opensRoute = ({ token }: RouteRules, { kind, text }: Credential): boolean =>
  token !== null && kind === 'token' && timingSafeEqual(digest(text), digest(token));

/** @throws Problem `unauthenticated`, `forbidden` or `reauthentication-required` */
function decide(actor: Actor, { decision, recentAuth }: RouteRules): true {
  if (recentAuth !== undefined) requireRecentAuth(actor, recentAuth);
  if (decision === 'public') return true;
  if (actor.kind === 'public') throw noCredential();
  if (decision === 'authenticated') return true;
  // A route without a decision cannot be reached: the application does not start with one. Closed all the same.
  const roles =
    decision === undefined ? [] : decision === 'admin' ? [ADMIN_ROLE] : [...decision.roles, ADMIN_ROLE];
  if (roles.some((role) => actor.roles.includes(role))) return true;
  const [first = ADMIN_ROLE] = roles;
  throw new Problem('forbidden', { detail: `This address is for the role ${JSON.stringify(first)}.` });
}

const IDENTITY_ROUTE = /^\/(auth|system)(\/|$)/;
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Who acts as somebody else uses the application as they do, and changes neither their account nor anything in the
 * management. A route that asks for a recent sign-in asks for the user in person.
 * @throws Problem `forbidden`
 */
function refuseActing(
  { method, routeOptions }: FastifyRequest,
  { allowsActing, recentAuth }: RouteRules,
): void {
  const isChange = !SAFE_METHODS.has(method) && IDENTITY_ROUTE.test(routeOptions.url ?? '/auth');
  if (!(isChange && !allowsActing) && recentAuth === undefined) return;
  throw new Problem('forbidden', { detail: 'This may nobody do who acts as somebody else.' });
}

/** Of equal length whatever the text, so that comparing two tells nothing. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
