import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { Access, type AccessDecision } from '../common/http/index.js';
import { actorKey, type Actor } from '../common/context/index.js';
import { AccessGuard } from './access.guard.js';
import type { KeyDirectory } from './keys/key-directory.js';

const actorWith = (...roles: string[]): Actor => ({ kind: 'key', id: 'k1', roles, claims: {} });

/** Runs the guard for a handler with a decision, or none, and a caller. */
async function guard(
  decision: AccessDecision | undefined,
  actor: Actor | null,
  type = 'http',
): Promise<boolean | string> {
  const handler = (): void => {};
  if (decision !== undefined) Access(decision)(handler);
  const request = { headers: actor === null ? {} : { 'x-api-key': 'plinth_x' }, plinth: null };
  const keys = { findActor: () => actor } as Pick<KeyDirectory, 'findActor'> as KeyDirectory;
  const execution = {
    getType: () => type,
    getHandler: () => handler,
    getClass: () => class {},
    switchToHttp: () => ({ getRequest: () => request }),
  } as unknown as ExecutionContext;
  try {
    return await new AccessGuard(keys, new Reflector()).canActivate(execution);
  } catch (error) {
    return (error as { type: string }).type;
  }
}

describe('the guard', () => {
  const member = actorWith('member', 'public');
  const admin = actorWith('admin', 'public');
  const cases: readonly [AccessDecision | undefined, Actor | null, boolean | string][] = [
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
    expect(await guard('public', null, 'ws')).toBe(true);
    expect(await guard('admin', admin, 'ws')).toBe(false);
    expect(await guard(undefined, admin, 'rpc')).toBe(false);
  });

  it('never takes a key for a user of the same id', () => {
    const kinds = ['key', 'user', 'function'] as const;
    const keys = kinds.map((kind) => actorKey({ ...member, kind }));
    expect(new Set(keys).size).toBe(kinds.length);
  });
});
