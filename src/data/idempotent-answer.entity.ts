import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** The stored answer to a write that carried an Idempotency-Key. */
@Entity({ schema: 'plinth', name: 'idempotent_answers' })
export class IdempotentAnswer {
  /** Whose key it is: keys of two actors never meet. */
  @PrimaryColumn('text')
  actor: string;

  @PrimaryColumn('text')
  key: string;

  /** SHA-256 of the request: method, address, body and what shapes the answer. */
  @Column('bytea')
  fingerprint: Buffer;

  @Column('integer', { nullable: true })
  status: number | null;

  @Column('jsonb', { nullable: true })
  headers: Record<string, string> | null;

  @Column('text', { nullable: true })
  body: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
