import { timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { MoreThan, Repository } from 'typeorm';
import type { Actor } from '../../common/context/index.js';
import { Database, SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { Logger } from '../../common/observability/index.js';
import { ADMIN_ROLE, PUBLIC_ROLE } from '../access-snapshot.js';
import { AccessService } from '../access.service.js';
import { pageOf, readCursor, type PageQuery, type SystemPage } from '../system-page.js';
import { ApiKey } from './api-key.entity.js';
import { generateKey, hashKey, parseKeyPrefix } from './key-format.js';

export interface NewKey {
  readonly name: string;
  readonly roles: readonly string[];
  readonly claims?: Record<string, unknown>;
  /** RFC 3339, in the future; absent or null: never ends. */
  readonly expiresAt?: string | null;
}

interface KnownKey {
  readonly id: string;
  readonly hash: Buffer;
  readonly actor: Actor;
  readonly expiresAtMs: number;
}

/** Keys kept in memory, known and unknown ones; an unknown one costs the database one look-up a change of access. */
const MAX_CACHED = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TOUCH_MS = 10 * 60_000;

/** API keys: made, changed, revoked, and recognised without asking the database each time. */
@Injectable()
export class ApiKeysService implements OnModuleInit {
  private readonly cache = new LRUCache<string, { readonly key: KnownKey | null }>({ max: MAX_CACHED });
  private readonly touched = new LRUCache<string, true>({ max: MAX_CACHED, ttl: TOUCH_MS });
  /** Counts changes of access, so that a look-up that began before one is not kept after it. */
  private generation = 0;

  constructor(
    @InjectRepository(ApiKey, SYSTEM_DATA_SOURCE) private readonly keys: Repository<ApiKey>,
    private readonly database: Database,
    private readonly access: AccessService,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.access.onChange(() => {
      this.generation += 1;
      this.cache.clear();
    });
  }

  /** The actor of a key, or null for anything that is not a key in force. */
  async findActor(text: string): Promise<Actor | null> {
    const prefix = parseKeyPrefix(text);
    if (prefix === null) return null;
    const known = this.cache.get(prefix) ?? (await this.load(prefix));
    const { key } = known;
    // The hash is compared also where there is no key, so that a known prefix does not show in time.
    const isEqual = timingSafeEqual(hashKey(text), key?.hash ?? hashKey(''));
    if (key === null || !isEqual || key.expiresAtMs <= Date.now()) return null;
    this.touch(key.id);
    return key.actor;
  }

  /** Makes a key; its text is in the answer and nowhere else. */
  async create(request: NewKey): Promise<{ readonly key: string; readonly record: ApiKey }> {
    this.checkRoles(request.roles);
    const { key, prefix } = generateKey();
    const record = await this.keys.save(
      this.keys.create({
        name: request.name,
        prefix,
        hash: hashKey(key),
        roles: [...new Set(request.roles)].sort(),
        claims: request.claims ?? {},
        expiresAt: parseExpiry(request.expiresAt),
      }),
    );
    await this.access.refresh();
    return { key, record: await this.get(record.id) };
  }

  async list(query: PageQuery): Promise<SystemPage<ApiKey>> {
    const after = readCursor(query.cursor);
    const rows = await this.keys.find({
      where: after === null ? {} : { position: MoreThan(after) },
      order: { position: 'ASC' },
      take: query.limit + 1,
    });
    return pageOf(rows, query.limit, ({ position }) => position);
  }

  async get(id: string): Promise<ApiKey> {
    const record = UUID.test(id) ? await this.keys.findOneBy({ id }) : null;
    if (!record) throw new Problem('not-found', { detail: 'There is no such key.' });
    return record;
  }

  async update(id: string, changes: Partial<NewKey>): Promise<ApiKey> {
    if (changes.roles) this.checkRoles(changes.roles);
    const record = await this.get(id);
    if (changes.name !== undefined) record.name = changes.name;
    if (changes.roles !== undefined) record.roles = [...new Set(changes.roles)].sort();
    if (changes.claims !== undefined) record.claims = changes.claims;
    if (changes.expiresAt !== undefined) record.expiresAt = parseExpiry(changes.expiresAt);
    await this.keys.save(record);
    await this.access.refresh();
    return this.get(id);
  }

  /** The key is refused from now on, on every instance within a second. */
  async revoke(id: string): Promise<void> {
    const record = await this.get(id);
    await this.keys.delete(record.id);
    await this.access.refresh();
  }

  private checkRoles(roles: readonly string[]): void {
    const errors = roles.flatMap((role, index) =>
      this.access.hasRole(role)
        ? []
        : [{ pointer: `/roles/${index}`, code: 'unknown-role', message: `names no role: ${JSON.stringify(role)}` }],
    );
    if (errors.length > 0) {
      throw new Problem('invalid-request', { detail: errors.map(({ message }) => message).join('; '), errors });
    }
  }

  private async load(prefix: string): Promise<{ readonly key: KnownKey | null }> {
    const { generation } = this;
    const record = await this.keys.findOneBy({ prefix });
    const known = { key: record && toKnownKey(record) };
    if (generation === this.generation) this.cache.set(prefix, known);
    return known;
  }

  private touch(id: string): void {
    if (this.touched.has(id)) return;
    this.touched.set(id, true);
    this.database
      .execute({ text: 'UPDATE plinth.api_keys SET last_used_at = now() WHERE id = $1', values: [id] })
      .catch((error: Error) => this.logger.debug({ reason: error.message }, "A key's last use was not noted"));
  }
}

function toKnownKey(record: ApiKey): KnownKey {
  const roles = record.roles.includes(ADMIN_ROLE) ? record.roles : [...record.roles, PUBLIC_ROLE];
  return {
    id: record.id,
    hash: record.hash,
    actor: Object.freeze({
      kind: 'key' as const,
      id: record.id,
      roles: Object.freeze([...new Set(roles)].sort()),
      claims: Object.freeze(record.claims),
    }),
    expiresAtMs: record.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
  };
}

function parseExpiry(text: string | null | undefined): Date | null {
  if (text === null || text === undefined) return null;
  const time = new Date(text);
  const isRfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text);
  if (!isRfc3339 || Number.isNaN(time.getTime()) || time.getTime() <= Date.now()) {
    const message = 'must be a time in the future such as 2027-01-31T00:00:00Z';
    throw new Problem('invalid-request', {
      detail: `expiresAt ${message}`,
      errors: [{ pointer: '/expiresAt', code: 'format', message }],
    });
  }
  return time;
}
