import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { In, IsNull, QueryFailedError, Repository, type EntityManager } from 'typeorm';
import {
  AccessService,
  isForeignKeyViolation,
  pageOf,
  readCursor,
  refuseUnknownRoles,
  unknownRole,
  type SystemPage,
} from '../../access/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { TIME_AND_ID } from '../time-cursor.js';
import { normaliseEmail } from './email-address.js';
import { UserRole } from './user-role.entity.js';
import type { UserDto, UserQuery } from './user.dto.js';
import { User, type UserStatus } from './user.entity.js';

/** What can be said of a user; what is left out stays as it is. */
export interface UserFields {
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly username?: string | null;
  readonly status?: UserStatus;
  /** Plain JSON. */
  readonly profile?: Readonly<Record<string, unknown>>;
  /** Plain JSON. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly roles?: readonly string[];
  readonly isAnonymous?: boolean;
}

const UNIQUE_VIOLATION = '23505';

/** Users as they are kept: found, listed, made, changed. Their sessions and passwords are other services' matter. */
@Injectable()
export class UsersService {
  constructor(
    @InjectRepository(User, SYSTEM_DATA_SOURCE) private readonly users: Repository<User>,
    private readonly access: AccessService,
  ) {}

  /** Newest first. */
  async list({ limit, cursor, search, status, role }: UserQuery): Promise<SystemPage<UserDto>> {
    const after = readCursor(cursor, TIME_AND_ID.pattern);
    const query = this.users
      .createQueryBuilder('user')
      .orderBy('user.createdAt', 'DESC')
      .addOrderBy('user.id', 'DESC')
      .limit(limit + 1);
    if (after !== null) query.andWhere('(user.createdAt, user.id) < (:time, :id)', TIME_AND_ID.parse(after));
    if (status !== undefined) query.andWhere('user.status = :status', { status });
    if (role !== undefined) {
      query.andWhere(
        'EXISTS (SELECT FROM plinth.user_roles given WHERE given.user_id = user.id AND given.role = :role)',
        { role },
      );
    }
    if (search !== undefined) {
      query.andWhere(
        '(strpos(lower(user.email), lower(:search)) > 0 OR strpos(lower(user.username), lower(:search)) > 0)',
        { search: search.normalize('NFC') },
      );
    }
    const { data, page } = pageOf(await query.getMany(), limit, TIME_AND_ID.format);
    const given = await listRoles(
      data.map(({ id }) => id),
      this.users.manager,
    );
    return { data: data.map((user) => toDto(user, given.get(user.id) ?? [])), page };
  }

  /** @throws Problem `not-found` */
  async get(id: string, manager: EntityManager = this.users.manager): Promise<UserDto> {
    const user = isUUID(id) ? await manager.findOneBy(User, { id }) : null;
    if (!user) throw notFound();
    return toDto(user, (await listRoles([id], manager)).get(id) ?? []);
  }

  /** @throws Problem `unique-violation` where the address or the username is taken */
  async create(fields: UserFields & { readonly email: string }, manager: EntityManager): Promise<UserDto> {
    return this.saving(fields.roles ?? [], async () => {
      const { identifiers } = await manager.insert(User, toColumns(fields));
      const { id } = identifiers[0] as { readonly id: string };
      if (fields.roles) await this.giveRoles(id, fields.roles, manager);
      return this.get(id, manager);
    });
  }

  /**
   * Makes a user unless the address is taken.
   * @returns the id, or null
   */
  async createIfNew(
    fields: UserFields & { readonly email: string },
    manager: EntityManager,
  ): Promise<string | null> {
    const { raw } = await manager
      .createQueryBuilder()
      .insert()
      .into(User)
      .values(toColumns(fields))
      .orIgnore()
      .returning(['id'])
      .execute();
    return (raw as { readonly id: string }[])[0]?.id ?? null;
  }

  /** Makes a user whom no address leads to. */
  async createWithoutAddress(fields: Omit<UserFields, 'email'>, manager: EntityManager): Promise<string> {
    const { identifiers } = await manager.insert(User, toColumns(fields));
    return (identifiers[0] as { readonly id: string }).id;
  }

  /** @throws Problem `not-found`, `unique-violation` */
  async update(id: string, fields: UserFields, manager: EntityManager): Promise<UserDto> {
    const before = await this.get(id, manager);
    return this.saving(fields.roles ?? [], async () => {
      const columns = toColumns(fields);
      // Of another address nobody knows yet whose it is.
      const isMoved = columns.email !== undefined && columns.email !== before.email;
      if (isMoved && fields.emailVerified === undefined) columns.emailVerifiedAt = null;
      if (Object.keys(columns).length > 0) await manager.update(User, { id }, columns);
      if (fields.roles) await this.giveRoles(id, fields.roles, manager);
      return this.get(id, manager);
    });
  }

  /** @throws Problem `not-found`; `foreign-key-violation` where records refer to the user */
  async delete(id: string, manager: EntityManager): Promise<void> {
    await this.get(id, manager);
    try {
      await manager.delete(User, { id });
    } catch (error) {
      if (!isForeignKeyViolation(error)) throw error;
      throw new Problem('foreign-key-violation', {
        detail: 'Records refer to this user; block the user, or change those first.',
        cause: error,
      });
    }
  }

  /** Whether some user who can sign in has a role. */
  async hasAnyWithRole(role: string, manager: EntityManager = this.users.manager): Promise<boolean> {
    return manager.exists(UserRole, { where: { role, user: { status: 'active' } } });
  }

  /**
   * Whether a user may sign in; until `manager`'s transaction is over, that stays so. To be asked before anything else of
   * the user is locked.
   */
  async holdActive(id: string, manager: EntityManager): Promise<boolean> {
    const found = await manager.query<unknown[]>(
      `SELECT 1 FROM plinth.users WHERE id = $1 AND status = 'active' FOR SHARE`,
      [id],
    );
    return found.length > 0;
  }

  async findIdByEmail(email: string, manager: EntityManager): Promise<string | null> {
    const user = await manager
      .createQueryBuilder(User, 'user')
      .where('lower(user.email COLLATE "C") = lower(:email COLLATE "C")', { email: normaliseEmail(email) })
      .getOne();
    return user?.id ?? null;
  }

  /**
   * Roles that are there already stay untouched, so that nothing is told that did not happen. What a provider gives it
   * also takes away, and is left to it.
   */
  private async giveRoles(userId: string, roles: readonly string[], manager: EntityManager): Promise<void> {
    const wanted = new Set(roles);
    const given = await manager.findBy(UserRole, { userId, identityId: IsNull() });
    const gone = given.map(({ role }) => role).filter((role) => !wanted.delete(role));
    if (gone.length > 0) await manager.delete(UserRole, { userId, role: In(gone), identityId: IsNull() });
    if (wanted.size > 0)
      await manager.insert(
        UserRole,
        [...wanted].map((role) => ({ userId, role })),
      );
  }

  private async saving<T>(roles: readonly string[], save: () => Promise<T>): Promise<T> {
    refuseUnknownRoles(roles, '/roles', this.access);
    try {
      return await save();
    } catch (error) {
      // A role was deleted after it had been looked at.
      if (isForeignKeyViolation(error)) throw unknownRole('/roles', roles, error);
      throw uniqueViolation(error) ?? error;
    }
  }
}

/** Given roles, by user. */
async function listRoles(
  ids: readonly string[],
  manager: EntityManager,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const given = new Map<string, string[]>();
  if (ids.length === 0) return given;
  for (const { userId, role } of await manager.findBy(UserRole, { userId: In([...ids]) })) {
    given.set(userId, [...(given.get(userId) ?? []), role]);
  }
  return given;
}

const notFound = (): Problem => new Problem('not-found', { detail: 'There is no such user.' });

type Columns = Partial<Omit<User, 'profile' | 'claims'>> & { profile?: object; claims?: object };

const toColumns = ({
  email,
  emailVerified,
  username,
  status,
  profile,
  claims,
  isAnonymous,
}: UserFields): Columns => ({
  ...(email === undefined ? {} : { email: normaliseEmail(email) }),
  ...(emailVerified === undefined ? {} : { emailVerifiedAt: emailVerified ? new Date() : null }),
  ...(username === undefined ? {} : { username }),
  ...(status === undefined ? {} : { status }),
  ...(profile === undefined ? {} : { profile }),
  ...(claims === undefined ? {} : { claims }),
  ...(isAnonymous === undefined ? {} : { isAnonymous }),
});

const toDto = (user: User, roles: readonly string[]): UserDto => ({
  id: user.id,
  email: user.email,
  emailVerifiedAt: user.emailVerifiedAt,
  username: user.username,
  status: user.status,
  isAnonymous: user.isAnonymous,
  profile: user.profile,
  claims: user.claims,
  roles: [...new Set(roles)].sort(),
  createdAt: user.createdAt,
  updatedAt: user.updatedAt,
});

/** Which field is taken, where that is what went wrong. */
function uniqueViolation(error: unknown): Problem | null {
  const { code, constraint } =
    error instanceof QueryFailedError
      ? (error.driverError as { readonly code?: string; readonly constraint?: string })
      : {};
  if (code !== UNIQUE_VIOLATION) return null;
  const field = constraint === 'users_username_key' ? 'username' : 'email';
  return new Problem('unique-violation', {
    detail: `There is already a user with this ${field}.`,
    errors: [{ pointer: `/${field}`, code: 'unique', message: 'is taken' }],
    cause: error,
  });
}
