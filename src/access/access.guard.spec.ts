import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { Problem } from '../common/errors/index.js';
import { parseConfig } from '../common/config/index.js';
import {
  Access,
  CrossSiteCheck,
  RequireRecentAuth,
  Roles,
  TrustedProxies,
  type AccessDecision,
} from '../common/http/index.js';
import { createLogger } from '../common/observability/index.js';
import { RateLimits } from '../common/rate-limit/index.js';
import { actorKey, type Actor } from '../common/context/index.js';
import { AccessGuard } from './access.guard.js';
import type { KeyDirectory } from './keys/key-directory.js';
import { SessionCredentials } from './session-credentials.js';

const actorWith = (...roles: string[]): Actor => ({ kind: 'key', id: 'k1', roles, claims: {} });

/** Somebody who signed in so many seconds ago. */
const userWith = (secondsAgo: number, ...roles: string[]): Actor => ({
  kind: 'user',
  id: 'u1',
  roles,
  claims: {},
  session: {
    id: 's1',
    isCookie: false,
    authenticatedAtMs: Date.now() - secondsAgo * 1000,
    secondFactorAtMs: null,
    amr: ['pwd'],
    hasSecondFactor: false,
  },
});

interface Circumstances {
  readonly type?: string;
  readonly isAlwaysAnswered?: boolean;
  /** The database, which is asked for the caller's key, is away. */
  readonly isDatabaseAway?: boolean;
  readonly decorate?: (handler: () => void) => void;
}

/** Runs the guard for a handler with a decision, or none, and a caller. */
async function guard(
  decision: AccessDecision | undefined,
  actor: Actor | null,
  circumstances: Circumstances = {},
): Promise<boolean | string> {
  const { type = 'http', isAlwaysAnswered = false, isDatabaseAway = false, decorate } = circumstances;
  const handler = (): void => {};
  if (decision !== undefined) Access(decision)(handler);
  decorate?.(handler);
  const request = {
    headers: actor === null ? {} : { 'x-api-key': 'plinth_x' },
    plinth: null,
    routeOptions: { config: { isAlwaysAnswered } },
    raw: { socket: { remoteAddress: '192.0.2.1' } },
  };
  const keys = {
    findActor: () => (isDatabaseAway ? Promise.reject(new Problem('database-unavailable')) : actor),
  } as Pick<KeyDirectory, 'findActor'> as KeyDirectory;
  const config = parseConfig({});
  const limits = new RateLimits(config, createLogger({ logLevel: 'silent', logFormat: 'json' }));
  const execution = {
    getType: () => type,
    getHandler: () => handler,
    getClass: () => class {},
    switchToHttp: () => ({ getRequest: () => request }),
  } as unknown as ExecutionContext;
  try {
    return await new AccessGuard(
      keys,
      new SessionCredentials(),
      new Reflector(),
      new TrustedProxies([]),
      limits,
      new CrossSiteCheck(config),
    ).canActivate(execution);
  } catch (error) {
    return (error as { type: string }).type;
  }
}

describe('the guard', () => {
  const member = actorWith('member', 'public');
  const admin = actorWith('admin', 'public');
  const cases: readonly [Extract<AccessDecision, string> | undefined, Actor | null, boolean | string][] = [
    ['public', null, true],
    ['public', member, true],
    ['authenticated', null, 'unauthenticated'],
    ['authenticated', member, true],
    ['admin', null, 'unauthenticated'],
    ['admin', member, 'forbidden'],
    ['admin', admin, true],
    [undefined, null, 'unauthenticated'],
    [undefined, member, 'forbidden'],
    [undefined, admin, 'forbidden'],
  ];
  for (const [decision, actor, expected] of cases) {
    it(`answers ${String(expected)} to ${actor?.roles[0] ?? 'nobody'} on a route that is ${decision ?? 'undecided'}`, async () => {
      expect(await guard(decision, actor)).toBe(expected);
    });
  }

  it('lets through what is no request over HTTP only where everybody may', async () => {
    expect(await guard('public', null, { type: 'ws' })).toBe(true);
    expect(await guard('admin', admin, { type: 'ws' })).toBe(false);
    expect(await guard(undefined, admin, { type: 'rpc' })).toBe(false);
  });

  it('needs no database where operators ask and everybody may', async () => {
    const probe = { isAlwaysAnswered: true, isDatabaseAway: true };
    expect(await guard('public', member, probe)).toBe(true);
    expect(await guard('admin', admin, probe)).toBe('database-unavailable');
    expect(await guard('public', member, { ...probe, isAlwaysAnswered: false })).toBe('database-unavailable');
  });

  it('lets in who has one of the roles of a route, and administrators', async () => {
    const decorate = Roles('editor', 'member') as (handler: () => void) => void;
    expect(await guard(undefined, member, { decorate })).toBe(true);
    expect(await guard(undefined, admin, { decorate })).toBe(true);
    expect(await guard(undefined, actorWith('reader'), { decorate })).toBe('forbidden');
    expect(await guard(undefined, null, { decorate })).toBe('unauthenticated');
  });

  it('asks for a recent sign-in where a route requires one, which no key can give', async () => {
    const decorate = RequireRecentAuth(60) as (handler: () => void) => void;
    const ask = (actor: Actor | null): Promise<boolean | string> =>
      guard('authenticated', actor, { decorate });
    expect(await ask(userWith(30, 'member'))).toBe(true);
    expect(await ask(userWith(90, 'member'))).toBe('reauthentication-required');
    expect(await ask(userWith(90, 'admin'))).toBe('reauthentication-required');
    expect(await ask(admin)).toBe('forbidden');
    expect(await ask(null)).toBe('unauthenticated');
    expect(await guard('admin', userWith(30, 'member'), { decorate })).toBe('forbidden');
  });

  it('asks for a recent second factor where a route requires one, of all or of those who have one', async () => {
    const ask = (secondFactor: true | 'if-enrolled', session: object): Promise<boolean | string> => {
      const user = userWith(30);
      const actor = { ...user, session: { ...user.session, ...session } } as Actor;
      const decorate = RequireRecentAuth(60, { secondFactor }) as (handler: () => void) => void;
      return guard('authenticated', actor, { decorate });
    };
    const recent = { hasSecondFactor: true, secondFactorAtMs: Date.now() - 30_000 };
    const old = { hasSecondFactor: true, secondFactorAtMs: Date.now() - 90_000 };
    expect(await ask(true, recent)).toBe(true);
    expect(await ask(true, old)).toBe('reauthentication-required');
    expect(await ask(true, {})).toBe('reauthentication-required');
    expect(await ask('if-enrolled', recent)).toBe(true);
    expect(await ask('if-enrolled', old)).toBe('reauthentication-required');
    expect(await ask('if-enrolled', { hasSecondFactor: true })).toBe('reauthentication-required');
    expect(await ask('if-enrolled', {})).toBe(true);
  });

  it('never takes a key for a user of the same id', () => {
    const kinds = ['key', 'user', 'function'] as const;
    const keys = kinds.map((kind) => actorKey({ ...member, kind }));
    expect(new Set(keys).size).toBe(kinds.length);
  });
});
