import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { MoreThan, Repository } from 'typeorm';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { AccessService } from '../access.service.js';
import { effectiveRoles } from '../roles/reserved-roles.js';
import { isForeignKeyViolation, refuseUnknownRoles, unknownRole } from '../roles/unknown-role.js';
import { pageOf, readCursor, type PageQuery, type SystemPage } from '../system-page.js';
import { ApiKey } from './api-key.entity.js';
import { generateKey, hashKey } from './key-format.js';

export interface NewKey {
  readonly name: string;
  readonly roles: readonly string[];
  /** Plain JSON. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** RFC 3339, in the future; absent or null: never ends. */
  readonly expiresAt?: string | null;
}

/** API keys: made, changed, revoked. A change is in force on every instance within a second. */
@Injectable()
export class ApiKeysService {
  constructor(
    @InjectRepository(ApiKey, SYSTEM_DATA_SOURCE) private readonly keys: Repository<ApiKey>,
    private readonly access: AccessService,
  ) {}

  /** Makes a key; its text is in the answer and nowhere else. */
  async create(request: NewKey): Promise<{ readonly key: string; readonly record: ApiKey }> {
    const { key, prefix } = generateKey();
    const fields = this.toFields({ claims: {}, expiresAt: null, ...request });
    const record = this.keys.create({ ...fields, prefix, hash: hashKey(key), lastUsedAt: null });
    return { key, record: await this.saving(request.roles, () => this.keys.save(record)) };
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

  /** @throws Problem `not-found` */
  async get(id: string): Promise<ApiKey> {
    const record = isUUID(id) ? await this.keys.findOneBy({ id }) : null;
    if (!record) throw new Problem('not-found', { detail: 'There is no such key.' });
    return record;
  }

  /**
   * Who a key speaks for, whether it has ended or not.
   * @throws Problem `not-found`
   */
  async getActor(id: string): Promise<Actor> {
    const { roles, claims } = await this.get(id);
    return { kind: 'key', id, roles: effectiveRoles(roles), claims };
  }

  async update(id: string, changes: Partial<NewKey>): Promise<ApiKey> {
    const record = await this.get(id);
    const fields = this.toFields(changes);
    if (Object.keys(fields).length > 0) {
      await this.saving(changes.roles ?? [], () => this.keys.update(record.id, fields));
    }
    return this.get(id);
  }

  async revoke(id: string): Promise<void> {
    const { affected } = isUUID(id) ? await this.keys.delete(id) : { affected: 0 };
    if (affected === 0) throw new Problem('not-found', { detail: 'There is no such key.' });
    await this.access.refresh();
  }

  private toFields({ name, roles, claims, expiresAt }: Partial<NewKey>): Partial<Omit<ApiKey, 'claims'>> & {
    claims?: object;
  } {
    if (roles !== undefined) refuseUnknownRoles(roles, '/roles', this.access);
    return {
      ...(name === undefined ? {} : { name }),
      ...(roles === undefined ? {} : { roles: [...new Set(roles)].sort() }),
      ...(claims === undefined ? {} : { claims }),
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt === null ? null : parseExpiry(expiresAt) }),
    };
  }

  private async saving<T>(roles: readonly string[], save: () => Promise<T>): Promise<T> {
    try {
      const saved = await save();
      await this.access.refresh();
      return saved;
    } catch (error) {
      // A role was deleted after it had been looked at.
      if (isForeignKeyViolation(error)) throw unknownRole('/roles', roles, error);
      throw error;
    }
  }
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i;

function parseExpiry(text: string): Date {
  const time = new Date(text);
  if (RFC_3339.test(text) && time.getTime() > Date.now()) return time;
  const message = 'must be a time in the future such as 2027-01-31T00:00:00Z';
  throw new Problem('invalid-request', {
    detail: `expiresAt ${message}`,
    errors: [{ pointer: '/expiresAt', code: 'format', message }],
  });
}
