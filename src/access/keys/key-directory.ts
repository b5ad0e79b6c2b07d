import { timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { In, Repository } from 'typeorm';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Logger } from '../../common/observability/index.js';
import { AccessService } from '../access.service.js';
import { effectiveRoles } from '../roles/reserved-roles.js';
import { ApiKey } from './api-key.entity.js';
import { hashKey, parseKeyPrefix, slicePrefix } from './key-format.js';

interface KnownKey {
  readonly id: string;
  readonly hash: Buffer;
  readonly actor: Actor;
  readonly expiresAtMs: number;
}

const MAX_KNOWN = 10_000;
/** Prefixes that lead nowhere are kept apart, so that guesses never push out keys that are in use. */
const MAX_UNKNOWN = 10_000;
/** Of one look-up. */
const MAX_TOGETHER = 500;
const TOUCH_MS = 10 * 60_000;
/** Compared with where there is no key, so that a prefix that exists does not show in time. */
const NO_HASH = Buffer.alloc(32);

/**
 * Recognises keys, without asking the database for those that were seen before. Look-ups of unseen ones are gathered
 * into one statement at a time, so that a flood of invented keys costs one connection at most.
 */
@Injectable()
export class KeyDirectory implements OnModuleInit {
  private readonly known = new LRUCache<string, KnownKey>({ max: MAX_KNOWN });
  private readonly unknown = new LRUCache<string, true>({ max: MAX_UNKNOWN });
  private readonly touched = new LRUCache<string, number>({ max: MAX_KNOWN });
  private readonly asked = new Map<string, Promise<KnownKey | null>>();
  private gathering: {
    readonly prefixes: string[];
    readonly found: Promise<ReadonlyMap<string, KnownKey>>;
  } | null = null;
  private running: Promise<unknown> = Promise.resolve();
  /** Counts changes of access, so that what was read before one is not kept after it. */
  private generation = 0;

  constructor(
    @InjectRepository(ApiKey, SYSTEM_DATA_SOURCE) private readonly keys: Repository<ApiKey>,
    private readonly access: AccessService,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.access.onChange(() => {
      this.generation += 1;
      this.known.clear();
      this.unknown.clear();
      this.asked.clear();
      this.gathering = null;
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
    return this.ask(prefix).then((key) => this.admit(text, key));
  }

  private admit(text: string, key: KnownKey | null): Actor | null {
    const isEqual = timingSafeEqual(hashKey(text), key?.hash ?? NO_HASH);
    const now = Date.now();
    if (key === null || !isEqual || key.expiresAtMs <= now) return null;
    if ((this.touched.get(key.id) ?? 0) + TOUCH_MS <= now) this.touch(key.id, now);
    return key.actor;
  }

  private ask(prefix: string): Promise<KnownKey | null> {
    let answer = this.asked.get(prefix);
    if (answer === undefined) {
      answer = this.gather(prefix)
        .then((found) => found.get(prefix) ?? null)
        .finally(() => {
          if (this.asked.get(prefix) === answer) this.asked.delete(prefix);
        });
      this.asked.set(prefix, answer);
    }
    return answer;
  }

  /** Joins the look-up that waits for its turn, or starts one. */
  private gather(prefix: string): Promise<ReadonlyMap<string, KnownKey>> {
    if (this.gathering === null || this.gathering.prefixes.length >= MAX_TOGETHER) {
      const prefixes: string[] = [];
      const found = this.running.then(() => {
        if (this.gathering?.prefixes === prefixes) this.gathering = null;
        return this.load(prefixes);
      });
      this.running = found.catch(() => {
        // Told to those who asked; the next look-up has its own chance.
      });
      this.gathering = { prefixes, found };
    }
    this.gathering.prefixes.push(prefix);
    return this.gathering.found;
  }

  private async load(prefixes: readonly string[]): Promise<ReadonlyMap<string, KnownKey>> {
    const { generation } = this;
    const records = await this.keys.findBy({ prefix: In(prefixes) });
    const found = new Map(records.map((record) => [record.prefix, toKnownKey(record)]));
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
  private touch(id: string, now: number): void {
    this.touched.set(id, now);
    this.keys
      .query(
        `UPDATE plinth.api_keys SET last_used_at = now()
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => $2))`,
        [id, TOUCH_MS / 1000],
      )
      .catch((error: Error) =>
        this.logger.debug({ reason: error.message }, "A key's last use was not noted"),
      );
  }
}

function toKnownKey({ id, hash, roles, claims, expiresAt }: ApiKey): KnownKey {
  const actor = { kind: 'key' as const, id, roles: Object.freeze(effectiveRoles(roles)), claims };
  return {
    id,
    hash,
    actor: Object.freeze(actor),
    expiresAtMs: expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
  };
}
