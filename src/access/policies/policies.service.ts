import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { MoreThan, Repository, type EntityManager } from 'typeorm';
import { CatalogService } from '../../catalog/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { AccessService } from '../access.service.js';
import { isForeignKeyViolation, unknownRole } from '../roles/unknown-role.js';
import { pageOf, readCursor, type PageQuery } from '../system-page.js';
import { compilePolicy, PolicyMistakes, type PolicyDefinition } from './compile-policy.js';
import type {
  CreatePolicyDto,
  PolicyDto,
  PolicyPageDto,
  PolicyQuery,
  UpdatePolicyDto,
} from './policy.dto.js';
import { Policy } from './policy.entity.js';

/** Policies are checked against the catalog before they are kept: one that means nothing is never saved. */
@Injectable()
export class PoliciesService {
  constructor(
    @InjectRepository(Policy, SYSTEM_DATA_SOURCE) private readonly policies: Repository<Policy>,
    private readonly access: AccessService,
    private readonly catalog: CatalogService,
  ) {}

  async list(query: PageQuery & Partial<PolicyQuery>): Promise<PolicyPageDto> {
    const after = readCursor(query.cursor);
    const { role, collection, action } = query;
    const rows = await this.policies.find({
      where: {
        ...(role === undefined ? {} : { role }),
        ...(collection === undefined ? {} : { collection }),
        ...(action === undefined ? {} : { action }),
        ...(after === null ? {} : { position: MoreThan(after) }),
      },
      order: { position: 'ASC' },
      take: query.limit + 1,
    });
    const { data, page } = pageOf(rows, query.limit, ({ position }) => position);
    return { data: data.map((policy) => this.toDto(policy)), page };
  }

  /** @throws Problem `not-found` */
  async get(id: string): Promise<PolicyDto> {
    return this.toDto(await this.find(this.policies.manager, id));
  }

  /** @throws Problem `invalid-request` with everything that is wrong with the policy, each with its place */
  async create(body: CreatePolicyDto): Promise<PolicyDto> {
    const { role, collection, action } = body;
    const { condition = null, fields = null, check = null, presets = null, description = '' } = body;
    const definition = { role, collection, action, condition, fields, check, presets, description };
    this.check(definition);
    // The answer is what was saved: when it is sent, somebody may have deleted it already.
    return this.toDto(await this.saving(role, () => this.policies.save(this.policies.create(definition))));
  }

  /** The row is locked meanwhile, so that two changes, each right by itself, cannot make a wrong policy together. */
  async update(id: string, changes: UpdatePolicyDto): Promise<PolicyDto> {
    await this.policies.manager.transaction(async (manager) => {
      const policy = await this.find(manager, id, true);
      Object.assign(policy, Object.fromEntries(listGiven(changes)));
      this.check(policy);
      await manager.save(policy);
    });
    await this.access.refresh();
    return this.get(id);
  }

  async delete(id: string): Promise<void> {
    const { affected } = isUUID(id) ? await this.policies.delete(id) : { affected: 0 };
    if (affected === 0) throw notFound();
    await this.access.refresh();
  }

  private async find(manager: EntityManager, id: string, isLocking = false): Promise<Policy> {
    const lock = isLocking ? { lock: { mode: 'pessimistic_write' as const } } : {};
    const policy = isUUID(id) ? await manager.findOne(Policy, { where: { id }, ...lock }) : null;
    if (!policy) throw notFound();
    return policy;
  }

  private async saving<T>(role: string, save: () => Promise<T>): Promise<T> {
    try {
      const saved = await save();
      await this.access.refresh();
      return saved;
    } catch (error) {
      // The role was deleted after it had been looked at.
      if (isForeignKeyViolation(error)) throw unknownRole('/role', [role], error);
      throw error;
    }
  }

  private check(policy: PolicyDefinition & { readonly role: string }): void {
    if (!this.access.hasRole(policy.role)) throw unknownRole('/role', [policy.role]);
    try {
      compilePolicy('new', policy, this.catalog.current());
    } catch (error) {
      if (!(error instanceof PolicyMistakes)) throw error;
      throw new Problem('invalid-request', { detail: error.message, errors: error.mistakes, cause: error });
    }
  }

  private toDto({ position: _position, ...policy }: Policy): PolicyDto {
    return { ...policy, problem: this.access.findPolicy(policy.id)?.mistakes?.message ?? null };
  }
}

const notFound = (): Problem => new Problem('not-found', { detail: 'There is no such policy.' });

/** What was left out of a body is there in its DTO, undefined; that is no change. */
const listGiven = (changes: object): [string, unknown][] =>
  Object.entries(changes).filter(([, value]) => value !== undefined);
