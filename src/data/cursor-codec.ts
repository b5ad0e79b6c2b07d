import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database, readSharedSecret } from '../common/database/index.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals cursors with AES-256-GCM under a key that all instances share: nobody can read the sort keys in one (they may
 * be of hidden fields) or make one up.
 */
@Injectable()
export class CursorCodecService implements OnModuleInit {
  private key: Buffer = Buffer.alloc(0);

  constructor(private readonly database: Database) {}

  async onModuleInit(): Promise<void> {
    const secret = await readSharedSecret(this.database, 'cursor');
    this.key = createHash('sha256').update('plinth cursor').update(secret).digest();
  }

  readonly seal = (bytes: Uint8Array): string => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  };

  /** What was sealed, or null for a text that was not made by `seal`. */
  readonly open = (text: string): Uint8Array | null => {
    if (!/^[\w-]+$/.test(text)) return null;
    const bytes = Buffer.from(text, 'base64url');
    // base64url has several spellings for the same bytes; only the one that `seal` writes is taken.
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch {
      // GCM refuses what was changed; which byte is of no interest.
      return null;
    }
  };
}
