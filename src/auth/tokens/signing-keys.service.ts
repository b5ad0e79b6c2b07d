import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectDataSource } from '@nestjs/typeorm';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from 'jose';
import { LessThan, type DataSource, type EntityManager } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Observer } from '../../common/observability/index.js';
import { seal, ServerSecret, unseal } from '../../common/secrets/index.js';
import { IdentityWatch } from '../sessions/identity-watch.js';
import { SigningKey } from './signing-key.entity.js';

/** RFC 8037; the one algorithm that tokens are signed and verified with. */
export const SIGNATURE_ALGORITHM = 'EdDSA';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** After so long, a new key takes over. */
const ROTATION_MS = 30 * DAY_MS;
/** A new key is published before it signs, so that services that keep the list of keys know it by then. */
const LEAD_MS = 60 * MINUTE_MS;
/** By then, no token that it signed holds any more. */
const RETIREMENT_MS = ROTATION_MS + DAY_MS;
const CHECK_MS = 10 * MINUTE_MS;
/** Any number that nobody else is likely to lock. */
const ROTATION_LOCK = 7_052_601_396;

interface KeyRing {
  readonly signing: { readonly id: string; readonly key: CryptoKey };
  readonly verifying: ReadonlyMap<string, CryptoKey>;
  readonly published: readonly JWK[];
}

/**
 * The keys that access tokens are signed with: made at the first start, renewed every thirty days, their private parts
 * encrypted in the database. An instance whose secret is another one than that of the key's maker verifies with the key
 * and signs with one of its own.
 */
@Injectable()
export class SigningKeys implements OnModuleInit, OnModuleDestroy {
  private ring: KeyRing | null = null;
  private reading: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private sealing: Buffer | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly watch: IdentityWatch,
    private readonly secret: ServerSecret,
    private readonly adapterHost: HttpAdapterHost,
    private readonly observer: Observer,
  ) {
    watch.onChange((userId) => {
      if (userId === null && this.ring !== null) this.renew();
    });
  }

  /** A command neither signs nor verifies, and must not leave a key behind. */
  async onModuleInit(): Promise<void> {
    if (!this.adapterHost.httpAdapter) return;
    await this.watch.start();
    await this.load();
    this.timer = setInterval(() => this.renew(), CHECK_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Calls `listener` whenever a key may have gone. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  get signing(): KeyRing['signing'] {
    return this.current().signing;
  }

  findVerifying(id: string): CryptoKey | undefined {
    return this.current().verifying.get(id);
  }

  /** Public keys, as a JWK set lists them. */
  listPublished(): readonly JWK[] {
    return this.current().published;
  }

  private get sealingKey(): Buffer {
    this.sealing ??= this.secret.deriveKey('signing keys');
    return this.sealing;
  }

  private current(): KeyRing {
    if (this.ring === null) throw new Error('Keys are asked for before the application has started.');
    return this.ring;
  }

  /** One reading after the other. After one that fails, the keys that are known stay, and the next look comes. */
  private renew(): void {
    this.reading = this.reading
      .then(() => this.load())
      .catch((error: Error) => {
        this.observer.observe({ kind: 'auth.signing-keys-unreadable', reason: error.message });
      });
  }

  private async load(): Promise<void> {
    const { manager } = this.dataSource;
    let rows = await listKeys(manager);
    if (this.isRotationDue(rows)) {
      rows = await manager.transaction(async (transaction) => {
        await transaction.query(`SELECT pg_advisory_xact_lock(${ROTATION_LOCK})`);
        // Another instance may have been faster.
        if (this.isRotationDue(await listKeys(transaction))) await this.rotate(transaction);
        return listKeys(transaction);
      });
    }
    this.ring = await this.toRing(rows);
    for (const listener of this.listeners) listener();
  }

  private isRotationDue(rows: readonly SigningKey[]): boolean {
    const newest = rows.findLast((row) => this.open(row) !== null);
    return newest === undefined || newest.createdAt.getTime() + ROTATION_MS <= Date.now();
  }

  private async rotate(manager: EntityManager): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(SIGNATURE_ALGORITHM, { extractable: true });
    const publicJwk = await exportJWK(publicKey);
    const id = await calculateJwkThumbprint(publicJwk);
    const sealed = seal(Buffer.from(JSON.stringify(await exportJWK(privateKey))), this.sealingKey, id);
    await manager.delete(SigningKey, { createdAt: LessThan(new Date(Date.now() - RETIREMENT_MS)) });
    await manager.insert(SigningKey, { id, publicKey: { ...publicJwk }, privateKey: sealed });
    this.observer.observe({ kind: 'auth.signing-key-made', key: id });
  }

  /** The private key of a row, or null where it was sealed with another secret. */
  private open({ id, privateKey }: SigningKey): JWK | null {
    const opened = unseal(privateKey, this.sealingKey, id);
    return opened === null ? null : (JSON.parse(opened.toString()) as JWK);
  }

  private async toRing(rows: readonly SigningKey[]): Promise<KeyRing> {
    const own = rows.flatMap((row) => {
      const jwk = this.open(row);
      return jwk === null ? [] : [{ row, jwk }];
    });
    const chosen = own.findLast(({ row }) => row.createdAt.getTime() + LEAD_MS <= Date.now()) ?? own[0];
    if (chosen === undefined) throw new Error('There is no key to sign with.');
    const verifying = new Map<string, CryptoKey>();
    for (const { id, publicKey } of rows) verifying.set(id, await importKey(publicKey));
    return {
      signing: { id: chosen.row.id, key: await importKey(chosen.jwk) },
      verifying,
      published: rows.map(({ id, publicKey }) => ({
        ...publicKey,
        kid: id,
        alg: SIGNATURE_ALGORITHM,
        use: 'sig',
      })),
    };
  }
}

const listKeys = (manager: EntityManager): Promise<SigningKey[]> =>
  manager.find(SigningKey, { order: { createdAt: 'ASC', id: 'ASC' } });

async function importKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, SIGNATURE_ALGORITHM);
  if (key instanceof Uint8Array) throw new TypeError('A signing key is not of the kind OKP.');
  return key;
}
