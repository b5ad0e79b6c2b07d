import { createHash } from 'node:crypto';
import { UNRESTRICTED, type AccessView, type CollectionAccess } from '@plinth/query';
import type { Catalog } from '@plinth/schema';
import { createLruCache } from '../common/lru-cache.js';
import { compilePolicy, PolicyMistakes, type CompiledPolicy } from './policies/compile-policy.js';
import type { Action, Policy } from './policies/policy.entity.js';
import { ADMIN_ROLE } from './roles/reserved-roles.js';

/** A policy as it is in force, or would be. */
export type StoredPolicy = Pick<
  Policy,
  'id' | 'role' | 'collection' | 'action' | 'condition' | 'fields' | 'check' | 'presets'
>;

/** A policy and what is wrong with it, if anything: one with mistakes gives nothing. */
export interface PolicyState {
  readonly policy: StoredPolicy;
  readonly mistakes: PolicyMistakes | null;
}

/** Distinct sets of roles whose merged rules are kept. */
const MAX_VIEWS = 1000;

/** Characters of role names that are written out. */
const MAX_NAMES = 64;

type MutableAccess = { -readonly [K in Action]: CollectionAccess[K][number][] };

/** All policies, compiled against one catalog; immutable but for a cache of merged views. */
export class AccessSnapshot {
  private readonly states = new Map<string, PolicyState>();
  /** Rules by role, in the order of the policies' creation. */
  private readonly byRole = new Map<
    string,
    { readonly collection: string; readonly compiled: CompiledPolicy }[]
  >();
  private readonly views = createLruCache<AccessView>(MAX_VIEWS);
  /** An actor's list of roles is one object for as long as its credential is known, so most requests end here. */
  private readonly viewsOfLists = new WeakMap<readonly string[], AccessView>();

  constructor(
    readonly version: string,
    readonly roles: ReadonlySet<string>,
    private readonly policies: readonly StoredPolicy[],
    private readonly catalog: Catalog,
  ) {
    for (const policy of policies) this.add(policy);
  }

  /** The same policies against another catalog. */
  against(catalog: Catalog): AccessSnapshot {
    return new AccessSnapshot(this.version, this.roles, this.policies, catalog);
  }

  findPolicy(id: string): PolicyState | undefined {
    return this.states.get(id);
  }

  /** Every policy, in the order of creation. */
  listPolicies(): Iterable<PolicyState> {
    return this.states.values();
  }

  /** The rules of some effective roles together. */
  viewFor(roles: readonly string[]): AccessView {
    let view = this.viewsOfLists.get(roles);
    if (view === undefined) {
      view = this.viewOf(roles);
      this.viewsOfLists.set(roles, view);
    }
    return view;
  }

  private viewOf(roles: readonly string[]): AccessView {
    const names = roles.join(' ');
    let view = this.views.get(names);
    if (view === undefined) {
      const key = `${this.version} ${shorten(names)}`;
      view = roles.includes(ADMIN_ROLE) ? this.unrestrictedView(key) : this.mergedView(key, roles);
      this.views.set(names, view);
    }
    return view;
  }

  private add(policy: StoredPolicy): void {
    try {
      const compiled = compilePolicy(policy.id, policy, this.catalog);
      const known = this.byRole.get(policy.role);
      const rule = { collection: policy.collection, compiled };
      if (known) known.push(rule);
      else this.byRole.set(policy.role, [rule]);
      this.states.set(policy.id, { policy, mistakes: null });
    } catch (error) {
      // A policy that does not fit the schema any more gives nothing: closed, not open, and no harm to the others.
      this.states.set(policy.id, { policy, mistakes: PolicyMistakes.of(error) });
    }
  }

  private unrestrictedView(key: string): AccessView {
    const { collections } = this.catalog;
    return { key, collection: (name) => (collections.has(name) ? UNRESTRICTED : undefined) };
  }

  private mergedView(key: string, roles: readonly string[]): AccessView {
    const merged = new Map<string, MutableAccess>();
    for (const { collection, compiled } of roles.flatMap((role) => this.byRole.get(role) ?? [])) {
      let access = merged.get(collection);
      if (access === undefined) {
        access = { read: [], create: [], update: [], delete: [] };
        merged.set(collection, access);
      }
      addRule(access, compiled);
    }
    return { key, collection: (name) => merged.get(name) };
  }
}

/** Plans are kept under it, so that a caller with hundreds of roles must not have a key of kilobytes. */
const shorten = (names: string): string =>
  names.length <= MAX_NAMES ? names : `#${createHash('sha256').update(names).digest('base64url')}`;

function addRule(access: MutableAccess, policy: CompiledPolicy): void {
  switch (policy.action) {
    case 'read':
      access.read.push(policy.rule);
      break;
    case 'create':
    case 'update':
      access[policy.action].push(policy.rule);
      break;
    case 'delete':
      access.delete.push(policy.rule);
      break;
  }
}
