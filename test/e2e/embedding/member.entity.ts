import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A table of the host's own, which its TypeORM makes. */
@Entity('members')
export class Member {
  @PrimaryGeneratedColumn()
  id: number;

  @Column()
  name: string;
}
