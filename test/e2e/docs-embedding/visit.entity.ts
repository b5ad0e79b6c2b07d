import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('visits')
export class Visit {
  @PrimaryGeneratedColumn()
  id: number;

  @Column()
  purpose: string;

  /** `user:<id>` or `key:<id>`. */
  @Column()
  actor: string;

  @CreateDateColumn({ type: 'timestamptz' })
  at: Date;
}
