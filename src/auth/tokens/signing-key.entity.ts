import type { JWK } from 'jose';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair for access tokens. */
@Entity({ schema: 'plinth', name: 'signing_keys' })
export class SigningKey {
  /** The thumbprint of the public key (RFC 7638), in tokens as `kid`. */
  @PrimaryColumn('text')
  id: string;

  @Column('jsonb', { name: 'public_key' })
  publicKey: JWK;

  /** A JWK, sealed. */
  @Column('bytea', { name: 'private_key' })
  privateKey: Buffer;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt: Date;
}
