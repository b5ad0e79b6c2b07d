import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, QueryFailedError, Repository } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { AccessService } from '../access.service.js';
import { pageOf, readCursor, type PageQuery, type SystemPage } from '../system-page.js';
import { ROLE_NAME, type CreateRoleDto, type UpdateRoleDto } from './role.dto.js';
import { Role } from './role.entity.js';

const UNIQUE_VIOLATION = '23505';

/** Roles: names that policies are written for and that actors have. */
@Injectable()
export class RolesService {
  constructor(
    @InjectRepository(Role, SYSTEM_DATA_SOURCE) private readonly roles: Repository<Role>,
    private readonly access: AccessService,
  ) {}

  async list(query: PageQuery): Promise<SystemPage<Role>> {
    const after = readCursor(query.cursor, ROLE_NAME);
    const rows = await this.roles.find({
      where: after === null ? {} : { name: MoreThan(after) },
      order: { name: 'ASC' },
      take: query.limit + 1,
    });
    return pageOf(rows, query.limit, ({ name }) => name);
  }

  /** @throws Problem `not-found` */
  async get(name: string): Promise<Role> {
    const role = ROLE_NAME.test(name) ? await this.roles.findOneBy({ name }) : null;
    if (!role) throw new Problem('not-found', { detail: 'There is no such role.' });
    return role;
  }

  /** @throws Problem `unique-violation` where the name is taken */
  async create({ name, description = '' }: CreateRoleDto): Promise<Role> {
    const role = this.roles.create({ name, description, isReserved: false });
    try {
      await this.roles.insert(role);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new Problem('unique-violation', {
        detail: `There is already a role ${JSON.stringify(name)}.`,
        errors: [{ pointer: '/name', code: 'unique', message: 'is taken' }],
        cause: error,
      });
    }
    await this.access.refresh();
    return role;
  }

  async update(name: string, { description }: UpdateRoleDto): Promise<Role> {
    const role = await this.get(name);
    if (description !== undefined) await this.roles.update(role.name, { description });
    return this.get(name);
  }

  /**
   * Its policies go with it, and keys lose it.
   * @throws Problem `conflict` for a reserved role
   */
  async delete(name: string): Promise<void> {
    const role = await this.get(name);
    if (role.isReserved) {
      throw new Problem('conflict', { detail: `The role ${JSON.stringify(name)} is reserved and stays.` });
    }
    await this.roles.delete(name);
    await this.access.refresh();
  }
}

const isUniqueViolation = (error: unknown): boolean =>
  error instanceof QueryFailedError && (error.driverError as { code?: string }).code === UNIQUE_VIOLATION;
