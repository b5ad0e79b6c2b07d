import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database, readSharedSecret } from '../../common/database/index.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';

/** What a challenge is for; an answer to one is never taken for another. */
export type ChallengePurpose = 'register' | 'sign-in' | 'second-factor' | 'step-up';

const LIFETIME_MS = 5 * 60_000;
const NONCE_BYTES = 16;
const TIME_BYTES = 6;
const HEAD_BYTES = NONCE_BYTES + TIME_BYTES;
const TAG_BYTES = 16;
const CHALLENGE = /^[\w-]{51}$/;

/**
 * Challenges for passkeys. They carry their time and are signed for their purpose and for whom they are, so none has to be
 * kept, and nobody can fill anything by asking for many. One is noted where an answer to it was right: it is good once.
 */
@Injectable()
export class PasskeyChallenges implements OnModuleInit {
  private key: Buffer = Buffer.alloc(0);

  constructor(
    private readonly database: Database,
    private readonly tokens: OneTimeTokens,
  ) {}

  /** The key is the same for all instances. */
  async onModuleInit(): Promise<void> {
    this.key = await readSharedSecret(this.database, 'passkey challenge');
  }

  /** @param binding for whom or what it is, such as a session */
  issue(purpose: ChallengePurpose, binding: string): string {
    const head = Buffer.alloc(HEAD_BYTES);
    randomBytes(NONCE_BYTES).copy(head);
    head.writeUIntBE(Date.now() + LIFETIME_MS, NONCE_BYTES, TIME_BYTES);
    return Buffer.concat([head, this.sign(head, purpose, binding)]).toString('base64url');
  }

  /** Whether a challenge is one of ours, for this, and in time. */
  isGood(challenge: string, purpose: ChallengePurpose, binding: string): boolean {
    if (!CHALLENGE.test(challenge)) return false;
    const bytes = Buffer.from(challenge, 'base64url');
    const head = bytes.subarray(0, HEAD_BYTES);
    const isOurs = timingSafeEqual(bytes.subarray(HEAD_BYTES), this.sign(head, purpose, binding));
    return isOurs && expiryOf(bytes) > Date.now();
  }

  /** @returns whether it had not been used before; of many at once, one is told so */
  use(challenge: string, manager: EntityManager): Promise<boolean> {
    const expiry = new Date(expiryOf(Buffer.from(challenge, 'base64url')));
    return this.tokens.spend('passkey-challenge', challenge, expiry, manager);
  }

  private sign(head: Buffer, purpose: ChallengePurpose, binding: string): Buffer {
    return createHmac('sha256', this.key)
      .update(head)
      .update(`${purpose} ${binding}`)
      .digest()
      .subarray(0, TAG_BYTES);
  }
}

const expiryOf = (bytes: Buffer): number => bytes.readUIntBE(NONCE_BYTES, TIME_BYTES);
