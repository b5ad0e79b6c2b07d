import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

/** `invited` users have not accepted yet, and `blocked` ones may not any more; neither can sign in. */
export const USER_STATUSES = ['active', 'invited', 'blocked'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

/** Somebody who can sign in. Readable as the collection `plinth.users`, so nothing here is secret. */
@Entity({ schema: 'plinth', name: 'users' })
export class User {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  /** As `normaliseEmail` gives it. */
  @Column('text', { nullable: true })
  email: string | null;

  @Column('timestamptz', { name: 'email_verified_at', nullable: true })
  emailVerifiedAt: Date | null;

  @Column('text', { nullable: true })
  username: string | null;

  @Column('text', { default: 'active' })
  status: UserStatus;

  /** Somebody who began without an account and has none yet. */
  @Column('boolean', { name: 'is_anonymous', default: false })
  isAnonymous: boolean;

  /** What users say of themselves. */
  @Column('jsonb', { default: {} })
  profile: Record<string, unknown>;

  /** What administrators say of them: policies see it in `auth.claims`. */
  @Column('jsonb', { default: {} })
  claims: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz', precision: 3 })
  updatedAt: Date;
}
