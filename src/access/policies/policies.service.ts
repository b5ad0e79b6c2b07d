import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, QueryFailedError, Repository } from 'typeorm';
import { CatalogService } from '../../catalog/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { AccessService } from '../access.service.js';
import { pageOf, readCursor } from '../system-page.js';
import { compilePolicy, PolicyMistakes, type PolicyDefinition } from './compile-policy.js';
import type { CreatePolicyDto, PolicyDto, PolicyPageDto, PolicyQuery, UpdatePolicyDto } from './policy.dto.js';
import { Policy } from './policy.entity.js';

const FOREIGN_KEY_VIOLATION = '23503';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Policies are checked against the catalog before they are kept: one that means nothing is never saved. */
@Injectable()
export class PoliciesService {
  constructor(
    @InjectRepository(Policy, SYSTEM_DATA_SOURCE) private readonly policies: Repository<Policy>,
    private readonly access: AccessService,
    private readonly catalog: CatalogService,
  ) {}

  async list(query: PolicyQuery): Promise<PolicyPageDto> {
    const after = readCursor(query.cursor);
    const rows = await this.policies.find({
      where: {
        ...(query.role === undefined ? {} : { role: query.role }),
        ...(query.collection === undefined ? {} : { collection: query.collection }),
        ...(after === null ? {} : { position: MoreThan(after) }),
      },
      order: { position: 'ASC' },
      take: query.limit + 1,
    });
    const { data, page } = pageOf(rows, query.limit, ({ position }) => position);
    return { data: data.map((policy) => this.toDto(policy)), page };
  }

  async get(id: string): Promise<PolicyDto> {
    return this.toDto(await this.find(id));
  }

  async create(body: CreatePolicyDto): Promise<PolicyDto> {
    const definition = {
      role: body.role,
      collection: body.collection,
      action: body.action,
      condition: body.condition ?? null,
      fields: body.fields ?? null,
      check: body.check ?? null,
      presets: body.presets ?? null,
    };
    this.check(definition);
    const { id } = await this.save(this.policies.create(definition));
    return this.get(id);
  }

  async update(id: string, changes: UpdatePolicyDto): Promise<PolicyDto> {
    const policy = await this.find(id);
    for (const [name, value] of Object.entries(changes)) {
      if (value !== undefined) Object.assign(policy, { [name]: value });
    }
    this.check(policy);
    await this.save(policy);
    return this.get(id);
  }

  async delete(id: string): Promise<void> {
    const policy = await this.find(id);
    await this.policies.delete(policy.id);
    await this.access.refresh();
  }

  private async find(id: string): Promise<Policy> {
    const policy = UUID.test(id) ? await this.policies.findOneBy({ id }) : null;
    if (!policy) throw new Problem('not-found', { detail: 'There is no such policy.' });
    return policy;
  }

  private async save(policy: Policy): Promise<Policy> {
    try {
      const saved = await this.policies.save(policy);
      await this.access.refresh();
      return saved;
    } catch (error) {
      const { code } = error instanceof QueryFailedError ? (error.driverError as { code?: string }) : {};
      if (code !== FOREIGN_KEY_VIOLATION) throw error;
      throw unknownRole(policy.role, error);
    }
  }

  private check(policy: PolicyDefinition & { readonly role: string }): void {
    if (!this.access.hasRole(policy.role)) throw unknownRole(policy.role);
    try {
      compilePolicy('new', policy, this.catalog.current());
    } catch (error) {
      if (!(error instanceof PolicyMistakes)) throw error;
      throw new Problem('invalid-request', { detail: error.message, errors: error.mistakes, cause: error });
    }
  }

  private toDto(policy: Policy): PolicyDto {
    const { id, role, collection, action, condition, fields, check, presets, createdAt, updatedAt } = policy;
    const problem = this.access.findMistakes(id)?.message ?? null;
    return { id, role, collection, action, condition, fields, check, presets, problem, createdAt, updatedAt };
  }
}

const unknownRole = (role: string, cause?: unknown): Problem =>
  new Problem('invalid-request', {
    detail: `There is no role ${JSON.stringify(role)}.`,
    errors: [{ pointer: '/role', code: 'unknown-role', message: 'names no role' }],
    cause,
  });
