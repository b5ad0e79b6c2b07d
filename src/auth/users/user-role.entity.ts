import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { User } from './user.entity.js';

/** A role that a user was given. */
@Entity({ schema: 'plinth', name: 'user_roles' })
export class UserRole {
  @PrimaryColumn('uuid', { name: 'user_id' })
  userId: string;

  @PrimaryColumn('text')
  role: string;

  /** What of a provider gave it; null is by hand. A role may be there both ways. */
  @Column('uuid', { name: 'identity_id', nullable: true })
  identityId: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user: User;
}
