import { timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Actor } from '../../common/context/index.js';
import { GatheredLookups, SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { createLruCache } from '../../common/lru-cache.js';
import { Observer } from '../../common/observability/index.js';
import { AccessService } from '../access.service.js';
import { effectiveRoles } from '../roles/reserved-roles.js';
import { ApiKey } from './api-key.entity.js';
import { hashKey, parseKeyPrefix, slicePrefix } from './key-format.js';

interface KnownKey {
  readonly id: string;
  readonly hash: Buffer;
  /** The key itself once it was seen to have that hash, so that a hot request compares and does not hash. */
  verified: Buffer | null;
  readonly actor: Actor;
  /** By the clock of this machine, which may be moved. */
  readonly expiresAtMs: number;
  /** By `performance.now`, counted from what the database said was left: nothing moves it, but it stops in a sleep. */
  readonly endsAtMs: number;
}

interface KeyRow {
  readonly id: string;
  readonly prefix: string;
  readonly hash: Buffer;
  readonly roles: readonly string[];
  readonly claims: Actor['claims'];
  /** Milliseconds since 1970, and from now by the database's clock; null for never. */
  readonly expires_at_ms: number | null;
  readonly left_ms: number | null;
}

const LOAD = `
  SELECT id, prefix, hash, roles, claims, (extract(epoch FROM expires_at) * 1000)::float8 AS expires_at_ms,
    ((extract(epoch FROM expires_at) - extract(epoch FROM clock_timestamp())) * 1000)::float8 AS left_ms
  FROM plinth.api_keys WHERE prefix = ANY ($1)`;

const MAX_KNOWN = 10_000;
/** Prefixes that lead nowhere are kept apart, so that guesses never push out keys that are in use. */
const MAX_UNKNOWN = 10_000;
const TOUCH_MS = 10 * 60_000;
/** Compared with where there is no key, so that a prefix that exists does not show in time. */
const NO_HASH = Buffer.alloc(32);

/** Recognises keys, without asking the database for those that were seen before. */
@Injectable()
export class KeyDirectory implements OnModuleInit {
  private readonly known = createLruCache<KnownKey>(MAX_KNOWN);
  private readonly unknown = createLruCache<true>(MAX_UNKNOWN);
  private readonly touched = createLruCache<number>(MAX_KNOWN);
  private readonly lookups = new GatheredLookups((prefixes) => this.load(prefixes));
  /** Counts changes of access, so that what was read before one is not kept after it. */
  private generation = 0;

  constructor(
    @InjectRepository(ApiKey, SYSTEM_DATA_SOURCE) private readonly keys: Repository<ApiKey>,
    private readonly access: AccessService,
    private readonly observer: Observer,
  ) {}

  onModuleInit(): void {
    this.access.onChange(() => {
      this.generation += 1;
      this.known.clear();
      this.unknown.clear();
      this.lookups.renew();
    });
  }

  /**
   * The actor of a key, or null for anything that is not a key in force. At once where the key was seen before, so that
   * a hot request does not even wait for a turn of the event loop.
   */
  findActor(text: string): Actor | null | Promise<Actor | null> {
    const known = this.known.get(slicePrefix(text));
    if (known !== undefined) return this.admit(text, known);
    const prefix = parseKeyPrefix(text);
    if (prefix === null) return null;
    if (this.unknown.has(prefix)) return this.admit(text, null);
    return this.lookups.find(slicePrefix(text)).then((key) => this.admit(text, key));
  }

  private admit(text: string, key: KnownKey | null): Actor | null {
    const isKnown = key !== null && isVerified(text, key);
    const isEqual = isKnown || timingSafeEqual(hashKey(text), key?.hash ?? NO_HASH);
    const nowMs = performance.now();
    // Whichever clock is ahead: a wrong one may end a key too early, never too late.
    if (key === null || !isEqual || key.endsAtMs <= nowMs || key.expiresAtMs <= Date.now()) return null;
    if (!isKnown) key.verified = Buffer.from(text);
    if ((this.touched.get(key.id) ?? -TOUCH_MS) + TOUCH_MS <= nowMs) this.touch(key.id, nowMs);
    return key.actor;
  }

  private async load(prefixes: readonly string[]): Promise<ReadonlyMap<string, KnownKey>> {
    const { generation } = this;
    const askedAtMs = performance.now();
    const rows = await this.keys.query<KeyRow[]>(LOAD, [prefixes]);
    const found = new Map(rows.map((row) => [row.prefix, toKnownKey(row, askedAtMs)]));
    if (generation === this.generation) {
      for (const prefix of prefixes) {
        const key = found.get(prefix);
        if (key === undefined) this.unknown.set(prefix, true);
        else this.known.set(prefix, key);
      }
    }
    return found;
  }

  /** Coarse and beside the request: nobody waits for it. */
  private touch(id: string, nowMs: number): void {
    this.touched.set(id, nowMs);
    this.keys
      .query(
        `UPDATE plinth.api_keys SET last_used_at = now()
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => $2))`,
        [id, TOUCH_MS / 1000],
      )
      .catch((error: Error) =>
        this.observer.observe({ kind: 'access.key-use-unnoted', reason: error.message }),
      );
  }
}

function isVerified(text: string, { verified }: KnownKey): boolean {
  if (verified === null) return false;
  const given = Buffer.from(text);
  return given.length === verified.length && timingSafeEqual(given, verified);
}

function toKnownKey(
  { id, hash, roles, claims, expires_at_ms, left_ms }: KeyRow,
  askedAtMs: number,
): KnownKey {
  const actor = { kind: 'key' as const, id, roles: Object.freeze(effectiveRoles(roles)), claims };
  return {
    id,
    hash,
    verified: null,
    actor: Object.freeze(actor),
    expiresAtMs: expires_at_ms ?? Number.POSITIVE_INFINITY,
    endsAtMs: left_ms === null ? Number.POSITIVE_INFINITY : askedAtMs + left_ms,
  };
}
