import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { ADMIN_ROLE } from '../../access/index.js';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { Observer } from '../../common/observability/index.js';
import { LOCAL_CLIENT, type Client } from '../client.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { Passwords } from '../passwords/passwords.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import type { SetUpDto } from '../sign-in/sign-in.dto.js';
import type { UserDto } from '../users/user.dto.js';
import { UsersService } from '../users/users.service.js';

const LINK_HOURS = 1;
/** Any number that nobody else is likely to lock. */
const SET_UP_LOCK = 7_052_601_397;

interface NewAdministrator {
  readonly email: string;
  readonly password: string;
}

/**
 * Makes the first administrator: out of the environment, or of whoever opens the link that the log of a start has. There
 * is no default password, and none of this does anything once there is an administrator.
 */
@Injectable()
export class FirstAdministrator implements OnApplicationBootstrap {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly sessions: SessionsService,
    private readonly tokens: OneTimeTokens,
    private readonly events: SignInEvents,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /** @throws Error where `PLINTH_ADMIN_PASSWORD` is too easy to guess */
  async onApplicationBootstrap(): Promise<void> {
    const { adminEmail: email, adminPassword: password } = this.config;
    if (email === null || password === null || (await this.users.hasAnyWithRole(ADMIN_ROLE))) return;
    try {
      await this.policy.check(password, '/PLINTH_ADMIN_PASSWORD', [email]);
    } catch (error) {
      throw error instanceof Problem ? new Error(error.message, { cause: error }) : error;
    }
    await this.make({ email, password }, () => Promise.resolve(true), LOCAL_CLIENT);
  }

  /**
   * Says where the first administrator can be made, where there is none.
   * @param url where the server listens
   */
  async announce(url: string): Promise<void> {
    if (await this.users.hasAnyWithRole(ADMIN_ROLE)) return;
    const token = await this.tokens.issue('set-up', LINK_HOURS * 3600, this.dataSource.manager);
    const link = `${this.config.publicUrl ?? url}/auth/set-up#${token}`;
    this.observer.observe({ kind: 'auth.set-up-awaited', link, hours: LINK_HOURS });
  }

  /** @throws Problem `forbidden` for a link that is not good any more, `invalid-request` for a password too easy */
  async setUp({ token, email, password }: SetUpDto, client: Client): Promise<UserDto> {
    await this.policy.check(password, '/password', [email]);
    const made = await this.make(
      { email, password },
      async (manager) => (await this.tokens.consume('set-up', token, manager)) !== null,
      client,
    );
    if (made === null) {
      throw new Problem('forbidden', {
        detail: 'The set-up link is unknown, used or expired; the log of the next start has a new one.',
      });
    }
    return made;
  }

  /**
   * An account that somebody made with the address before gets the new password, and its sessions end: nobody knows who
   * that was.
   * @returns null where it may not be, or there is an administrator already
   */
  private async make(
    { email, password }: NewAdministrator,
    mayBe: (manager: EntityManager) => Promise<boolean>,
    client: Client,
  ): Promise<UserDto | null> {
    const hash = await this.hasher.hash(password);
    const made = await this.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(${SET_UP_LOCK})`);
      if ((await this.users.hasAnyWithRole(ADMIN_ROLE, manager)) || !(await mayBe(manager))) return null;
      const user = await this.takeOver(email, manager);
      await this.passwords.set(user.id, hash, manager);
      await this.events.record('administrator.made', client, { userId: user.id, email }, manager);
      return user;
    });
    if (made !== null) this.sessions.noteEnded(made.id);
    return made;
  }

  private async takeOver(email: string, manager: EntityManager): Promise<UserDto> {
    const id = await this.users.findIdByEmail(email, manager);
    if (id === null) return this.users.create({ email, roles: [ADMIN_ROLE] }, manager);
    await this.sessions.endAll(id, manager);
    return this.users.update(id, { status: 'active', roles: [ADMIN_ROLE] }, manager);
  }
}
