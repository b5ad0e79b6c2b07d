import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { normaliseEmail } from '../users/email-address.js';
import type { UserStatus } from '../users/user.entity.js';
import { PasswordHasher } from './password-hasher.js';

/** An account as a sign-in finds it. */
interface Found {
  readonly id: string;
  readonly status: UserStatus;
  readonly hash: string | null;
}

const BY_EMAIL = `
  SELECT u.id, u.status, p.hash FROM plinth.users u LEFT JOIN plinth.user_passwords p ON p.user_id = u.id
  WHERE lower(u.email COLLATE "C") = lower($1 COLLATE "C")`;

const BY_ID = `
  SELECT u.id, u.status, p.hash FROM plinth.users u LEFT JOIN plinth.user_passwords p ON p.user_id = u.id
  WHERE u.id = $1`;

const SET = `
  INSERT INTO plinth.user_passwords (user_id, hash) VALUES ($1, $2)
  ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = now()`;

/** Whether that was the right password, and whose it would be. */
export interface PasswordVerdict {
  /** Null where no account has the address. */
  readonly userId: string | null;
  readonly isRight: boolean;
}

/** Passwords of users: kept as argon2id hashes, and found out about with the same work whoever asks. */
@Injectable()
export class Passwords {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly hasher: PasswordHasher,
  ) {}

  /** An account that is not active is as one that is not there. */
  async verifyByEmail(email: string, password: string): Promise<PasswordVerdict> {
    const [found] = await this.dataSource.query<Found[]>(BY_EMAIL, [normaliseEmail(email)]);
    return this.judge(found, password);
  }

  async verifyById(userId: string, password: string): Promise<PasswordVerdict> {
    const [found] = await this.dataSource.query<Found[]>(BY_ID, [userId]);
    return this.judge(found, password);
  }

  /** @param manager of the transaction that it is a part of */
  async set(userId: string, hash: string, manager: EntityManager): Promise<void> {
    await manager.query(SET, [userId, hash]);
  }

  /** @param manager of the transaction that it is a part of */
  async remove(userId: string, manager: EntityManager): Promise<void> {
    await manager.query('DELETE FROM plinth.user_passwords WHERE user_id = $1', [userId]);
  }

  private async judge(found: Found | undefined, password: string): Promise<PasswordVerdict> {
    const isSame = await this.hasher.verify(password, found?.hash ?? null);
    const isRight = isSame && found?.status === 'active';
    if (isRight && found.hash !== null && this.hasher.isOutdated(found.hash)) {
      await this.set(found.id, await this.hasher.hash(password), this.dataSource.manager);
    }
    return { userId: found?.id ?? null, isRight };
  }
}
