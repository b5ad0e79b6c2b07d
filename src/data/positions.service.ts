import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  Database,
  readSharedSecret,
  ReplicaSet,
  type LogPosition,
  type ReadExecutor,
  type WriteExecutor,
} from '../common/database/index.js';
import { Problem } from '../common/errors/index.js';
import type { RecordAnswer } from './record-answer.js';

export const POSITION_HEADER = 'plinth-position';

const POSITION_BYTES = 8;
const MAC_BYTES = 16;
const TOKEN = /^[\w-]{32}$/;

/**
 * Lets clients read what they wrote, where records are read from standbys: the answer to a write has a token for a place
 * in the write-ahead log behind it, and a read that sends the token sees everything up to there. Tokens are authenticated
 * (HMAC-SHA256), so that nobody can make reads wait for what was never written.
 */
@Injectable()
export class Positions implements OnModuleInit {
  private key: Buffer = Buffer.alloc(0);

  constructor(
    private readonly database: Database,
    private readonly replicas: ReplicaSet,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.replicas.isEmpty) return;
    const secret = await readSharedSecret(this.database, 'position');
    this.key = createHash('sha256').update('plinth position').update(secret).digest();
  }

  /**
   * What runs the read of a client that sent this token, or none.
   * @throws Problem `invalid-parameter` for a token that was not made here
   */
  reads(token: string | null): ReadExecutor {
    return this.replicas.reads(token === null || this.replicas.isEmpty ? null : this.open(token));
  }

  /** What runs the writes of one request; `mark` then tells of them. */
  writes(): WriteExecutor {
    return this.replicas.writes();
  }

  /** Adds the token to the answer to a write. */
  mark(answer: RecordAnswer, { position }: WriteExecutor): RecordAnswer {
    if (position === undefined || position === null) return answer;
    return { ...answer, headers: { ...answer.headers, [POSITION_HEADER]: this.seal(position) } };
  }

  private seal(position: LogPosition): string {
    const bytes = Buffer.alloc(POSITION_BYTES);
    bytes.writeBigUInt64BE(position);
    return Buffer.concat([bytes, this.sign(bytes)]).toString('base64url');
  }

  private open(token: string): LogPosition {
    const bytes = Buffer.from(TOKEN.test(token) ? token : '', 'base64url');
    const position = bytes.subarray(0, POSITION_BYTES);
    const mac = bytes.subarray(POSITION_BYTES);
    if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, this.sign(position))) {
      throw new Problem('invalid-parameter', {
        detail: 'The header Plinth-Position must be as it came with the answer to a write.',
      });
    }
    return position.readBigUInt64BE();
  }

  private sign(position: Buffer): Buffer {
    return createHmac('sha256', this.key).update(position).digest().subarray(0, MAC_BYTES);
  }
}
