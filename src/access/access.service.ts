import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { AccessView } from '@plinth/query';
import type { DataSource } from 'typeorm';
import { CatalogService } from '../catalog/index.js';
import { Database, SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { Observer } from '../common/observability/index.js';
import { AccessSnapshot, type PolicyState, type StoredPolicy } from './access-snapshot.js';

/** Told by triggers after any change of roles, policies or keys, whoever makes it. */
export const ACCESS_CHANNEL = 'plinth_access';

/** A lost notification must not leave old rules in force for longer than a second. */
const POLL_MS = 800;

/** One statement, so that version, roles and policies belong together. */
const LOAD = `
  SELECT (SELECT version FROM plinth.access_state)::text AS version,
         (SELECT coalesce(json_agg(r.name), '[]') FROM plinth.roles r) AS roles,
         (SELECT coalesce(json_agg(json_build_object('id', p.id, 'role', p.role, 'collection', p.collection,
                   'action', p.action, 'condition', p.condition, 'fields', p.fields, 'check', p."check",
                   'presets', p.presets) ORDER BY p.position), '[]') FROM plinth.policies p) AS policies`;

interface LoadedRules {
  readonly version: string;
  readonly roles: readonly string[];
  readonly policies: readonly StoredPolicy[];
}

/**
 * The rules in force: every policy compiled in memory, renewed within a second after any change by anybody.
 *
 * They are read through the connections of Plinth's own tables, because requests may hold all of the others.
 */
@Injectable()
export class AccessService implements OnModuleInit, OnModuleDestroy {
  private snapshot: AccessSnapshot | null = null;
  private loading: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  private isHealthy = true;
  private isStopped = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
    private readonly observer: Observer,
  ) {}

  /** Listening comes before the first reading, so that no change falls between. */
  async onModuleInit(): Promise<void> {
    this.stops.push(await this.database.listen(ACCESS_CHANNEL, () => void this.renew()));
    this.stops.push(
      this.catalog.onChange((catalog) => {
        if (this.snapshot) this.replace(this.snapshot.against(catalog));
      }),
    );
    await this.refresh();
    this.schedulePoll();
  }

  /** A reading under way ends with its connection; nobody waits for it, since the database may be silent. */
  onModuleDestroy(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    for (const stop of this.stops) stop();
  }

  /** The rules of some effective roles. */
  viewFor(roles: readonly string[]): AccessView {
    return this.current().viewFor(roles);
  }

  /** Whether a role exists. */
  hasRole(name: string): boolean {
    return this.current().roles.has(name);
  }

  findPolicy(id: string): PolicyState | undefined {
    return this.current().findPolicy(id);
  }

  /** Every policy, with what is wrong with it since the schema changed. */
  listPolicies(): Iterable<PolicyState> {
    return this.current().listPolicies();
  }

  /** Calls `listener` whenever rules, roles or keys may have changed. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Reads the rules anew: what was committed before the call is in force when it resolves. */
  refresh(): Promise<void> {
    if (this.loading === null) {
      this.loading = this.load().finally(() => {
        this.loading = null;
      });
      return this.loading;
    }
    // A reading under way may have begun before the caller's change; all who ask meanwhile share the next one.
    const startNext = (): Promise<void> => {
      this.next = null;
      return this.refresh();
    };
    this.next ??= this.loading.then(startNext, startNext);
    return this.next;
  }

  private current(): AccessSnapshot {
    if (this.snapshot === null) {
      throw new Error('Access rules are asked for before the application has started.');
    }
    return this.snapshot;
  }

  private async load(): Promise<void> {
    const [rules] = await this.dataSource.query<LoadedRules[]>(LOAD);
    if (rules?.version == null)
      throw new Error('The table plinth.access_state is empty; it must hold one row.');
    const { version, roles, policies } = rules;
    this.replace(new AccessSnapshot(version, new Set(roles), policies, this.catalog.current()));
  }

  private replace(snapshot: AccessSnapshot): void {
    const previous = this.snapshot;
    this.snapshot = snapshot;
    this.tell(snapshot, previous);
    for (const listener of this.listeners) listener();
  }

  private tell(snapshot: AccessSnapshot, previous: AccessSnapshot | null): void {
    let policies = 0;
    let broken = 0;
    for (const { policy, mistakes } of snapshot.listPolicies()) {
      policies += 1;
      if (mistakes === null) continue;
      broken += 1;
      if (previous?.findPolicy(policy.id)?.mistakes?.message === mistakes.message) continue;
      const { id, role, collection, action } = policy;
      const { message: reason } = mistakes;
      this.observer.observe({ kind: 'access.policy-broken', policy: id, role, collection, action, reason });
    }
    this.observer.observe({ kind: 'access.loaded', version: snapshot.version, policies, broken });
  }

  private schedulePoll(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.poll(), POLL_MS);
    this.timer.unref();
  }

  private async poll(): Promise<void> {
    try {
      const [state] = await this.dataSource.query<{ version: string }[]>(
        'SELECT version::text FROM plinth.access_state',
      );
      if (state?.version !== this.snapshot?.version) await this.refresh();
      this.noteHealth(null);
    } catch (error) {
      this.noteHealth(error);
    } finally {
      this.schedulePoll();
    }
  }

  /** Never rejects: the poll tries again. */
  private async renew(): Promise<void> {
    if (this.isStopped) return;
    try {
      await this.refresh();
    } catch (error) {
      this.noteHealth(error);
    }
  }

  /** Told once, when it begins and when it is over: the last rules stay in force meanwhile. */
  private noteHealth(error: unknown): void {
    const isHealthy = error === null;
    if (isHealthy === this.isHealthy || this.isStopped) return;
    this.isHealthy = isHealthy;
    this.observer.observe(isHealthy ? { kind: 'access.readable' } : { kind: 'access.unreadable', error });
  }
}
