import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A credential for a program. The key itself is shown once; only its hash is here. */
@Entity({ schema: 'plinth', name: 'api_keys' })
export class ApiKey {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @Column({ type: 'bigint', insert: false, update: false })
  position: string;

  @Column('text')
  name: string;

  /** The part of the key by which it is found; not secret. */
  @Column('text')
  prefix: string;

  /** SHA-256 of the whole key, which has too much entropy to be guessed. */
  @Column('bytea')
  hash: Buffer;

  @Column('text', { array: true })
  roles: string[];

  /** What policies see as `auth.claims`. */
  @Column('jsonb', { default: {} })
  claims: Record<string, unknown>;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  /** Within some minutes. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
