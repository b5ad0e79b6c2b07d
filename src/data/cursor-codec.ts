import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  randomFillSync,
  type KeyObject,
} from 'node:crypto';
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
  /** One object for all cursors: making one of the bytes each time is a part of what sealing costs. */
  private key: KeyObject = createSecretKey(Buffer.alloc(32));
  private order = '';
  private readonly nonces = new NonceSource();

  constructor(private readonly database: Database) {}

  async onModuleInit(): Promise<void> {
    const secret = await readSharedSecret(this.database, 'cursor');
    this.key = createSecretKey(createHash('sha256').update('plinth cursor').update(secret).digest());
    this.order = createHash('sha256').update('plinth order').update(secret).digest('hex');
  }

  /** What rows with hidden keys are ordered under, so that a cursor serves on every instance. */
  readonly orderSecret = (): string => this.order;

  /** `binding` is not in the cursor, but without it the cursor cannot be opened. */
  readonly seal = (position: string, binding: string): string => {
    const nonce = this.nonces.next();
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(binding));
    const sealed = cipher.update(position, 'utf8');
    // Gives no more bytes in this mode, and makes the tag.
    cipher.final();
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  };

  /** What was sealed, or null for a text that was not made by `seal` with the same binding. */
  readonly open = (text: string, binding: string): string | null => {
    if (!/^[\w-]+$/.test(text)) return null;
    const bytes = Buffer.from(text, 'base64url');
    // base64url has several spellings for the same bytes; only the one that `seal` writes is taken.
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(binding));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      const opened = Buffer.concat([
        decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
        decipher.final(),
      ]);
      return opened.toString('utf8');
    } catch {
      // GCM refuses what was changed; which byte is of no interest.
      return null;
    }
  };
}

/** How many nonces are drawn at once: asking the system for random bytes costs more than the cipher. */
const NONCES = 256;

/** Random nonces, each given out once. */
class NonceSource {
  private readonly bytes = Buffer.alloc(NONCES * NONCE_BYTES);
  private used = NONCES;

  next(): Buffer {
    if (this.used === NONCES) {
      randomFillSync(this.bytes);
      this.used = 0;
    }
    const start = this.used * NONCE_BYTES;
    this.used += 1;
    // A copy: the bytes are drawn anew while the cursor may still be under way.
    return Buffer.from(this.bytes.subarray(start, start + NONCE_BYTES));
  }
}
