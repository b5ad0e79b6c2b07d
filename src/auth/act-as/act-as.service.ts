import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { AccessTokens } from '../tokens/access-tokens.service.js';
import { UsersService } from '../users/users.service.js';
import type { ActingDto } from './act-as.dto.js';

/**
 * Lets an administrator see and do what a user can, for as long as one access token holds. Such a session ends with the one
 * that it was begun from, has no role that the administrator could not have, and changes no account.
 */
@Injectable()
export class ActAsService {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly tokens: AccessTokens,
    private readonly events: SignInEvents,
  ) {}

  /** @throws Problem `not-found`; `conflict` for oneself, and for who cannot sign in; `forbidden` for a key */
  async begin(actor: Actor, userId: string, client: Client): Promise<ActingDto> {
    const { session } = actor;
    if (session === undefined) {
      throw new Problem('forbidden', { detail: 'This address is for people who sign in.' });
    }
    const user = await this.users.get(userId);
    if (user.id === actor.id) throw new Problem('conflict', { detail: 'That is yourself.' });
    if (user.status !== 'active') {
      throw new Problem('conflict', { detail: `The user is ${user.status}, and cannot do anything.` });
    }
    const sessionId = await this.dataSource.transaction(async (manager) => {
      const id = await this.sessions.startActing(user.id, session.id, client, manager);
      await this.events.record('acted-as', client, { userId: user.id, sessionId: id }, manager);
      return id;
    });
    const issued = await this.tokens.issue(await this.sessions.get(sessionId));
    return { sessionId, ...issued, tokenType: 'Bearer', user };
  }
}
