import { Column, Entity, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/**
 * A sign-in that still holds, on one device. What ends it deletes it.
 *
 * `token` sessions have a refresh token that changes with each use, `cookie` sessions one secret for a browser. Of all of
 * these only SHA-256 hashes are here; they have too much entropy to be guessed.
 */
@Entity({ schema: 'plinth', name: 'sessions' })
export class Session {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user: User;

  @Column('text')
  kind: 'token' | 'cookie';

  /** Of the secret that all tokens of the session share. */
  @Column('bytea', { name: 'family_hash' })
  familyHash: Buffer;

  /** Of the part that changes, as it is now. */
  @Column('bytea', { name: 'refresh_hash', nullable: true })
  refreshHash: Buffer | null;

  /** Of the same before the last change. */
  @Column('bytea', { name: 'previous_hash', nullable: true })
  previousHash: Buffer | null;

  @Column('timestamptz', { name: 'rotated_at', nullable: true })
  rotatedAt: Date | null;

  /** Of an administrator who acts as the user: the session that this one ends with. */
  @Column('uuid', { name: 'acting_session_id', nullable: true })
  actingSessionId: string | null;

  @ManyToOne(() => Session, { onDelete: 'CASCADE', nullable: true })
  @JoinColumn({ name: 'acting_session_id' })
  actingSession: Session | null;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent: string | null;

  @Column('text')
  address: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, insert: false, update: false })
  createdAt: Date;

  /** When the user last proved who they are. */
  @Column({ type: 'timestamptz', name: 'authenticated_at', insert: false })
  authenticatedAt: Date;

  /** When they last did so with a second factor, or with something that counts as two. */
  @Column('timestamptz', { name: 'second_factor_at', nullable: true })
  secondFactorAt: Date | null;

  /** How they did, as RFC 8176 names it. */
  @Column('text', { array: true })
  amr: readonly string[];

  /** Within some minutes. */
  @Column({ type: 'timestamptz', name: 'last_used_at', insert: false })
  lastUsedAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
