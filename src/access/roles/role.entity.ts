import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A name that policies are written for and that actors have. */
@Entity({ schema: 'plinth', name: 'roles' })
export class Role {
  @PrimaryColumn('text')
  name: string;

  @Column('text', { default: '' })
  description: string;

  /** `public`, `authenticated`, `anonymous` and `admin`: they have a meaning of their own and cannot be deleted. */
  @Column('boolean', { name: 'is_reserved', default: false })
  isReserved: boolean;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
