import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { LessThan, Repository, type EntityManager } from 'typeorm';
import { pageOf, readCursor, type SystemPage } from '../../access/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Observer } from '../../common/observability/index.js';
import type { Client } from '../client.js';
import type { SignInEventQuery } from './sign-in-event.dto.js';
import { SignInEvent, type SignInEventKind } from './sign-in-event.entity.js';

export interface EventSubject {
  readonly userId?: string | null;
  readonly sessionId?: string | null;
  /** As it was given, where that is how the account was named. */
  readonly email?: string | null;
}

/** The audit of sign-ins: written with what it tells of, read by administrators. */
@Injectable()
export class SignInEvents {
  constructor(
    @InjectRepository(SignInEvent, SYSTEM_DATA_SOURCE) private readonly events: Repository<SignInEvent>,
    private readonly observer: Observer,
  ) {}

  /** @param manager of the transaction that the event belongs to */
  async record(
    kind: SignInEventKind,
    client: Client,
    { userId = null, sessionId = null, email = null }: EventSubject,
    manager: EntityManager = this.events.manager,
  ): Promise<void> {
    await manager.insert(SignInEvent, { kind, userId, sessionId, email, ...client });
    this.observer.observe({ kind: 'auth.happened', what: kind, user: userId, session: sessionId });
  }

  /** Newest first. */
  async list({ limit, cursor, user, kind }: SignInEventQuery): Promise<SystemPage<SignInEvent>> {
    const before = readCursor(cursor);
    if (user !== undefined && !isUUID(user)) return pageOf([], limit, () => '');
    const rows = await this.events.find({
      where: {
        ...(before === null ? {} : { position: LessThan(before) }),
        ...(user === undefined ? {} : { userId: user }),
        ...(kind === undefined ? {} : { kind }),
      },
      order: { position: 'DESC' },
      take: limit + 1,
    });
    return pageOf(rows, limit, ({ position }) => position);
  }
}
