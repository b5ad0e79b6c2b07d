import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { AccessView } from '@plinth/query';
import { CatalogService } from '../catalog/index.js';
import { Database } from '../common/database/index.js';
import { Logger } from '../common/observability/index.js';
import { AccessSnapshot, type StoredPolicy } from './access-snapshot.js';
import type { PolicyMistakes } from './policies/compile-policy.js';

/** A lost notification must not leave old rules in force for longer than this. */
const POLL_MS = 800;

/** One statement, so that version, roles and policies belong together. */
const LOAD = `
  SELECT (SELECT version FROM plinth.access_state)::text,
         (SELECT coalesce(json_agg(r.name), '[]') FROM plinth.roles r),
         (SELECT coalesce(json_agg(json_build_object('id', p.id, 'role', p.role, 'collection', p.collection,
                   'action', p.action, 'condition', p.condition, 'fields', p.fields, 'check', p."check",
                   'presets', p.presets) ORDER BY p.position), '[]') FROM plinth.policies p)`;

/** The rules in force: every policy compiled in memory, renewed within a second after any change by anybody. */
@Injectable()
export class AccessService implements OnModuleInit, OnApplicationShutdown {
  private snapshot: AccessSnapshot | null = null;
  private loading: Promise<void> | null = null;
  private isAskedAgain = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly catalog: CatalogService,
    private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    this.stops.push(await this.database.listen('plinth_access', () => this.refreshInBackground()));
    this.stops.push(
      this.catalog.onChange((catalog) => {
        if (this.snapshot) this.replace(this.snapshot.against(catalog));
      }),
    );
    await this.refresh();
    this.schedulePoll();
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    for (const stop of this.stops) stop();
  }

  /** Raised by every change of roles, policies or keys. */
  get version(): string {
    return this.current().version;
  }

  /** The rules of a sorted list of roles. */
  viewFor(roles: readonly string[]): AccessView {
    return this.current().viewFor(roles);
  }

  /** Whether a role exists. */
  hasRole(name: string): boolean {
    return this.current().roles.has(name);
  }

  /** The role that a policy in force is for. */
  findPolicyRole(policyId: string): string | null {
    return this.current().findPolicyRole(policyId);
  }

  /** Why a policy has no effect now, or null when it has. */
  findMistakes(policyId: string): PolicyMistakes | null {
    return this.current().mistakes.get(policyId) ?? null;
  }

  /** Calls `listener` whenever rules, roles or keys may have changed. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Loads the rules anew; what was committed before the call is in them when it resolves. */
  async refresh(): Promise<void> {
    // A load under way may have begun before the caller's change.
    if (this.loading) await this.loading.catch(() => {});
    this.loading ??= this.load().finally(() => {
      this.loading = null;
    });
    await this.loading;
  }

  private current(): AccessSnapshot {
    if (this.snapshot === null) throw new Error('Access rules are asked for before the application has started.');
    return this.snapshot;
  }

  private async load(): Promise<void> {
    const [row] = await this.database.execute({ name: 'plinth_access_load', text: LOAD, values: [] });
    const [version, roles, policies] = row ?? [];
    if (version == null || roles == null || policies == null) throw new Error('plinth.access_state is empty.');
    const snapshot = new AccessSnapshot(
      version,
      new Set(JSON.parse(roles) as string[]),
      JSON.parse(policies) as StoredPolicy[],
      this.catalog.current(),
    );
    this.replace(snapshot);
  }

  private replace(snapshot: AccessSnapshot): void {
    const previous = this.snapshot;
    this.snapshot = snapshot;
    for (const [id, { message }] of snapshot.mistakes) {
      if (previous?.mistakes.get(id)?.message !== message) {
        this.logger.warn({ policy: id, reason: message }, 'A policy does not fit the schema and gives nothing');
      }
    }
    for (const listener of this.listeners) listener();
  }

  /** Notifications that come while rules are being loaded are answered by one more load. */
  private refreshInBackground(): void {
    if (this.isAskedAgain) return;
    this.isAskedAgain = true;
    const pending = this.loading?.catch(() => {}) ?? Promise.resolve();
    void pending.then(() => {
      this.isAskedAgain = false;
      return this.refresh().catch((error: Error) => {
        this.logger.warn({ reason: error.message }, 'Access rules could not be renewed; the poll tries again');
      });
    });
  }

  private schedulePoll(): void {
    this.timer = setTimeout(() => {
      void this.poll().finally(() => this.schedulePoll());
    }, POLL_MS);
    this.timer.unref();
  }

  private async poll(): Promise<void> {
    try {
      const [row] = await this.database.execute({
        name: 'plinth_access_version',
        text: 'SELECT version::text FROM plinth.access_state',
        values: [],
      });
      if (row?.[0] !== this.version) await this.refresh();
    } catch {
      // The database is away; requests say so themselves, and the next poll finds it again.
    }
  }
}
