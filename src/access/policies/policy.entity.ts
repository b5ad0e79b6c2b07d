import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

export const ACTIONS = ['read', 'create', 'update', 'delete'] as const;
export type Action = (typeof ACTIONS)[number];

/** What a role may do with the records of a collection. */
@Entity({ schema: 'plinth', name: 'policies' })
export class Policy {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  /** Order of creation: the first policy that presets a field wins. */
  @Column({ type: 'bigint', insert: false, update: false })
  position: string;

  @Column('text')
  role: string;

  /** A collection's name in the API; it may be gone meanwhile, and come back. */
  @Column('text')
  collection: string;

  @Column('text')
  action: Action;

  /** CEL over the record as it is; null is every record. */
  @Column('text', { nullable: true })
  condition: string | null;

  /** Null is every field. */
  @Column('text', { array: true, nullable: true })
  fields: string[] | null;

  /** CEL over the record as it will be. */
  @Column('text', { nullable: true })
  check: string | null;

  /** What it is for, in words. */
  @Column('text', { default: '' })
  description: string;

  /** Field to what the server sets: a text is CEL, anything else is a constant. */
  @Column('jsonb', { nullable: true })
  presets: Record<string, unknown> | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
