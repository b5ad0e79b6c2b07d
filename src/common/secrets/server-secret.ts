import { hkdfSync, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import { PlinthConfig } from '../config/index.js';
import { Observer } from '../observability/index.js';

const FILE = 'secret';
const KEY_BYTES = 32;

/**
 * What private things in the database are encrypted with; never in the database itself: `PLINTH_SECRET`, or one that is
 * made once and kept in the data folder. Where none can be kept, this process has one of its own, and what it encrypts is
 * of no use to others.
 */
@Injectable()
export class ServerSecret {
  private secret: string | undefined;

  constructor(
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /** A key of 32 bytes for one purpose, after RFC 5869. */
  deriveKey(purpose: string): Buffer {
    this.secret ??= this.config.secret ?? this.readKept();
    return Buffer.from(hkdfSync('sha256', this.secret, '', `plinth ${purpose}`, KEY_BYTES));
  }

  private readKept(): string {
    const file = path.resolve(this.config.dataDir, FILE);
    try {
      return readOrMake(file);
    } catch (error) {
      this.observer.observe({ kind: 'auth.secret-unkept', file, reason: (error as Error).message });
      return makeSecret();
    }
  }
}

const makeSecret = (): string => randomBytes(KEY_BYTES).toString('base64url');

/** Of several processes that find no file, all end up with the same one. */
function readOrMake(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(draft, `${makeSecret()}\n`, { mode: 0o600, flag: 'wx' });
    // Unlike a rename, this leaves a file alone that is there by now.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(file, 'utf8').trim();
}
