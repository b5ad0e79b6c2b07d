import { UNRESTRICTED, type AccessView, type CollectionAccess } from '@plinth/query';
import type { Catalog } from '@plinth/schema';
import { LRUCache } from 'lru-cache';
import { compilePolicy, PolicyMistakes, type CompiledPolicy, type PolicyDefinition } from './policies/compile-policy.js';

/** A policy with what tells it from others. */
export type StoredPolicy = PolicyDefinition & { readonly id: string; readonly role: string };

export const ADMIN_ROLE = 'admin';
export const PUBLIC_ROLE = 'public';

/** Distinct sets of roles whose merged rules are kept. */
const MAX_VIEWS = 1000;

type CompiledFor = CompiledPolicy & { readonly collection: string };

/** All policies, compiled against one catalog; immutable but for a cache of merged views. */
export class AccessSnapshot {
  private readonly byRole = new Map<string, CompiledFor[]>();
  private readonly views = new LRUCache<string, AccessView>({ max: MAX_VIEWS });
  /** Why a policy has no effect, by its id. */
  readonly mistakes = new Map<string, PolicyMistakes>();

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

  findPolicyRole(policyId: string): string | null {
    return this.policies.find(({ id }) => id === policyId)?.role ?? null;
  }

  /** The rules of some roles together. `roles` must be sorted, so that equal sets share a view. */
  viewFor(roles: readonly string[]): AccessView {
    const key = `${this.version} ${roles.join(' ')}`;
    let view = this.views.get(key);
    if (view === undefined) {
      view = roles.includes(ADMIN_ROLE) ? this.unrestrictedView(key) : this.mergedView(key, roles);
      this.views.set(key, view);
    }
    return view;
  }

  private add(policy: StoredPolicy): void {
    try {
      const compiled = { ...compilePolicy(policy.id, policy, this.catalog), collection: policy.collection };
      const known = this.byRole.get(policy.role);
      if (known) known.push(compiled);
      else this.byRole.set(policy.role, [compiled]);
    } catch (error) {
      // A policy that does not fit the schema any more gives nothing: closed, not open, and no harm to the others.
      if (!(error instanceof PolicyMistakes)) throw error;
      this.mistakes.set(policy.id, error);
    }
  }

  private unrestrictedView(key: string): AccessView {
    const { collections } = this.catalog;
    return { key, collection: (name) => (collections.has(name) ? UNRESTRICTED : undefined) };
  }

  private mergedView(key: string, roles: readonly string[]): AccessView {
    const merged = new Map<string, MutableAccess>();
    for (const policy of roles.flatMap((role) => this.byRole.get(role) ?? [])) {
      let access = merged.get(policy.collection);
      if (access === undefined) {
        access = { read: [], create: [], update: [], delete: [] };
        merged.set(policy.collection, access);
      }
      addRule(access, policy);
    }
    return { key, collection: (name) => merged.get(name) };
  }
}

type MutableAccess = { -readonly [K in keyof CollectionAccess]: CollectionAccess[K][number][] };

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
