import { Column, Entity, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** A public key whose private part is on a user's device, or in what synchronises their devices. */
@Entity({ schema: 'plinth', name: 'passkeys' })
export class Passkey {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user: User;

  /** As the authenticator knows it. */
  @Column('bytea', { name: 'credential_id' })
  credentialId: Buffer;

  /** A COSE key. */
  @Column('bytea', { name: 'public_key' })
  publicKey: Buffer;

  /** Signatures, as the authenticator has counted them; 0 where it does not. */
  @Column('bigint')
  counter: string;

  /** Hints for browsers. */
  @Column('text', { array: true })
  transports: readonly string[];

  /** Whether it may be on several devices. */
  @Column('boolean', { name: 'is_synced' })
  isSynced: boolean;

  @Column('text')
  name: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, insert: false, update: false })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, nullable: true })
  lastUsedAt: Date | null;
}
