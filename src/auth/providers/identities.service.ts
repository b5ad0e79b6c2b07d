import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { removeCredentials } from '../account/remove-credentials.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { refuseSignUp } from '../sign-in/sign-up.service.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { IdentityRoles } from './identity-roles.js';
import type { ExternalIdentity } from './provider.js';
import { Providers } from './providers.service.js';
import { UserIdentity } from './user-identity.entity.js';

/** Why somebody whom a provider knows is nobody here. */
export type Rejection = 'sign_up_closed' | 'account_inactive';

/** Whose account it is, or why it is nobody's. */
export type Resolution = { readonly userId: string } | { readonly rejection: Rejection };

/** At most, of one user. */
const MAX_IDENTITIES = 20;

/** Who somebody at a provider is here. */
@Injectable()
export class Identities {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly roles: IdentityRoles,
    private readonly sessions: SessionsService,
    private readonly providers: Providers,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
    private readonly config: PlinthConfig,
  ) {}

  /**
   * The account of somebody who signs in: the one that the identity was linked to before; or the one of an address that
   * the provider vouches for; or a new one. An address that it does not vouch for counts for nothing.
   */
  async resolve(identity: ExternalIdentity, client: Client): Promise<Resolution> {
    try {
      return await this.tryResolve(identity, client);
    } catch (error) {
      // Somebody has just made an account with the address; now there is one to be found.
      if (!(error instanceof Problem) || error.type !== 'unique-violation') throw error;
      return this.tryResolve(identity, client);
    }
  }

  private async tryResolve(identity: ExternalIdentity, client: Client): Promise<Resolution> {
    const { resolution, reclaimed } = await this.dataSource.transaction(async (manager) => {
      const known = await lockIdentity(identity, manager);
      if (known !== null) return { resolution: await this.admit(known, identity, manager), reclaimed: null };
      return this.settle(identity, client, manager);
    });
    if (reclaimed !== null) this.sessions.noteEnded(reclaimed);
    return resolution;
  }

  /**
   * Links an identity to the account of a user who asks for it.
   * @throws Problem `conflict` where it is somebody else's, or there are too many
   */
  async link(userId: string, identity: ExternalIdentity, client: Client): Promise<UserIdentity> {
    const linked = await this.dataSource.transaction(async (manager) => {
      const known = await lockIdentity(identity, manager);
      if (known !== null && known.userId !== userId) {
        throw new Problem('conflict', { detail: 'Somebody else signs in with this identity.' });
      }
      const user = await lockUser(userId, manager);
      if ((await manager.countBy(UserIdentity, { userId })) >= MAX_IDENTITIES) {
        throw new Problem('conflict', { detail: `A user has at most ${MAX_IDENTITIES} identities.` });
      }
      const id = known?.id ?? (await this.add(userId, identity, client, manager));
      if (known === null && !user.isAnonymous) await this.tell('identity-linked', userId, identity, manager);
      if (user.isAnonymous) await this.upgrade(user, identity, client, manager);
      return manager.findOneByOrFail(UserIdentity, { id });
    });
    this.sessions.noteEnded(userId);
    return linked;
  }

  list(userId: string): Promise<UserIdentity[]> {
    return this.dataSource.manager.find(UserIdentity, {
      where: { userId },
      order: { createdAt: 'ASC', id: 'ASC' },
    });
  }

  /** @throws Problem `not-found`; `conflict` where it is the last way in */
  async unlink(userId: string, id: string, client: Client): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      // So that of two that go at once, the second knows of the first.
      await lockUser(userId, manager);
      const identities = await manager.findBy(UserIdentity, { userId });
      const gone = identities.find((identity) => identity.id === id);
      if (gone === undefined) throw new Problem('not-found', { detail: 'There is no such identity.' });
      const isOpen = identities.some((other) => other !== gone && this.providers.has(other.provider));
      if (!isOpen && !(await hasWayIn(userId, manager))) {
        throw new Problem('conflict', {
          detail:
            'This is the last way in to the account: set a password, add a passkey or link another identity before.',
        });
      }
      await manager.delete(UserIdentity, { id });
      await this.events.record('identity.unlinked', client, { userId, email: gone.email }, manager);
      await this.tell('identity-unlinked', userId, gone, manager);
    });
    this.sessions.noteEnded(userId);
  }

  private async admit(
    known: UserIdentity,
    identity: ExternalIdentity,
    manager: EntityManager,
  ): Promise<Resolution> {
    const user = await lockUser(known.userId, manager);
    if (user.status !== 'active') return { rejection: 'account_inactive' };
    const { provider, email } = identity;
    await manager.update(UserIdentity, { id: known.id }, { provider, email, lastUsedAt: new Date() });
    await this.roles.renew(known, identity, manager);
    return { userId: user.id };
  }

  private async settle(
    identity: ExternalIdentity,
    client: Client,
    manager: EntityManager,
  ): Promise<{ readonly resolution: Resolution; readonly reclaimed: string | null }> {
    const email = identity.isEmailVerified ? identity.email : null;
    const ownerId = email === null ? null : await this.users.findIdByEmail(email, manager);
    if (ownerId === null) {
      const created = await this.create(identity, email, client, manager);
      return { resolution: created, reclaimed: null };
    }
    const owner = await lockUser(ownerId, manager);
    if (owner.status === 'blocked') return { resolution: { rejection: 'account_inactive' }, reclaimed: null };
    const isReclaimed = owner.emailVerifiedAt === null || owner.status === 'invited';
    if (isReclaimed) await this.reclaim(owner, identity, client, manager);
    await this.add(ownerId, identity, client, manager);
    await this.tell('identity-linked', ownerId, identity, manager);
    return { resolution: { userId: ownerId }, reclaimed: isReclaimed ? ownerId : null };
  }

  private async create(
    identity: ExternalIdentity,
    email: string | null,
    client: Client,
    manager: EntityManager,
  ): Promise<Resolution> {
    if (this.config.signUp !== 'open') return { rejection: 'sign_up_closed' };
    const profile = profileOf(identity);
    const userId =
      email === null
        ? await this.users.createWithoutAddress({ profile }, manager)
        : (await this.users.create({ email, emailVerified: true, profile }, manager)).id;
    await this.events.record('signed-up', client, { userId, email }, manager);
    await this.add(userId, identity, client, manager);
    return { userId };
  }

  /**
   * Somebody made the account without showing that the address is theirs, and now its owner is here: what that somebody
   * could come in with, and what they said of themselves, goes. What administrators gave to the address stays.
   */
  private async reclaim(
    { id, email }: User,
    identity: ExternalIdentity,
    client: Client,
    manager: EntityManager,
  ): Promise<void> {
    await removeCredentials(id, manager);
    const fields = {
      emailVerified: true,
      status: 'active',
      username: null,
      profile: profileOf(identity),
    } as const;
    await this.users.update(id, fields, manager);
    await this.events.record('account.reclaimed', client, { userId: id, email }, manager);
  }

  private async upgrade(
    { id }: User,
    { email, isEmailVerified }: ExternalIdentity,
    client: Client,
    manager: EntityManager,
  ): Promise<void> {
    refuseSignUp(this.config);
    // An address that is somebody's already stays theirs.
    const isFree =
      isEmailVerified && email !== null && (await this.users.findIdByEmail(email, manager)) === null;
    const fields = isFree ? { email, emailVerified: true } : {};
    await this.users.update(id, { ...fields, isAnonymous: false }, manager);
    await this.events.record('user.upgraded', client, { userId: id, email: isFree ? email : null }, manager);
  }

  private async tell(
    occasion: 'identity-linked' | 'identity-unlinked',
    userId: string,
    { provider }: Pick<UserIdentity, 'provider'>,
    manager: EntityManager,
  ): Promise<void> {
    await this.mails.write(occasion, { userId, about: this.providers.labelOf(provider) }, manager);
  }

  private async add(
    userId: string,
    identity: ExternalIdentity,
    client: Client,
    manager: EntityManager,
  ): Promise<string> {
    const { provider, issuer, subject, email } = identity;
    const { identifiers } = await manager.insert(UserIdentity, {
      userId,
      provider,
      issuer,
      subject,
      email,
      lastUsedAt: new Date(),
    });
    const { id } = identifiers[0] as { readonly id: string };
    await this.roles.renew({ id, userId }, identity, manager);
    await this.events.record('identity.linked', client, { userId, email }, manager);
    return id;
  }
}

const profileOf = ({ name }: ExternalIdentity): Readonly<Record<string, unknown>> =>
  name === null ? {} : { name };

/** What is known of an identity. Whoever else asks for the same one waits for the end of the transaction. */
async function lockIdentity(
  { issuer, subject }: ExternalIdentity,
  manager: EntityManager,
): Promise<UserIdentity | null> {
  await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7052601398))', [
    JSON.stringify([issuer, subject]),
  ]);
  return manager.findOneBy(UserIdentity, { issuer, subject });
}

async function lockUser(id: string, manager: EntityManager): Promise<User> {
  const user = await manager.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (user === null) throw new Problem('conflict', { detail: 'The account has just been deleted.' });
  return user;
}

/** Besides what providers say. */
async function hasWayIn(userId: string, manager: EntityManager): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `SELECT FROM plinth.user_passwords WHERE user_id = $1
     UNION ALL SELECT FROM plinth.passkeys WHERE user_id = $1`,
    [userId],
  );
  return rows.length > 0;
}
