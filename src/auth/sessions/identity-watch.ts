import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Database, SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Observer } from '../../common/observability/index.js';

/** Told by triggers: `<version> <user id>`, `<version> *` for everybody, `<version> -` for nobody. */
const IDENTITY_CHANNEL = 'plinth_identity';
const MESSAGE = /^(\d+) (\*|-|[0-9a-f-]{36})$/;

/**
 * A lost notification must not leave an ended session in force for longer than a second. It takes two looks to know that
 * one is lost and not on its way.
 */
const POLL_MS = 450;

/** Gets the id of the user whose rights changed, or null where anybody's may have. */
export type IdentityListener = (userId: string | null) => void;

/**
 * Hears of every change that a session's rights depend on, whoever makes it: sign-out, block, deletion, roles, claims,
 * signing keys.
 */
@Injectable()
export class IdentityWatch implements OnModuleInit, OnModuleDestroy {
  /** Up to which changes were told to the listeners. */
  private version: bigint | null = null;
  /** What the last look found. */
  private seen = 0n;
  private starting: Promise<void> | null = null;
  private isHealthy = true;
  private isStopped = false;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: () => void = () => {};
  private readonly listeners = new Set<IdentityListener>();

  constructor(
    private readonly database: Database,
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly observer: Observer,
  ) {}

  onChange(listener: IdentityListener): void {
    this.listeners.add(listener);
  }

  onModuleInit(): Promise<void> {
    return this.start();
  }

  /** Resolves when every change from now on is heard of; safe to call more than once. */
  start(): Promise<void> {
    this.starting ??= this.listen();
    return this.starting;
  }

  /** Listening comes before the first look at the version, so that no change falls between. */
  private async listen(): Promise<void> {
    this.stopListening = await this.database.listen(IDENTITY_CHANNEL, (payload) => this.hear(payload));
    await this.look();
    this.schedulePoll();
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.stopListening();
  }

  private hear(payload: string | null): void {
    const [, versionText, whose] = MESSAGE.exec(payload ?? '') ?? [];
    const version = versionText === undefined ? null : BigInt(versionText);
    // After a reconnect, or where a message is missing, nobody knows who is meant.
    const isComplete = version !== null && this.version !== null && version <= this.version + 1n;
    if (version !== null && (this.version === null || version > this.version)) this.version = version;
    if (!isComplete || whose === '*') this.tell(null);
    else if (whose !== undefined && whose !== '-') this.tell(whose);
  }

  private async look(): Promise<void> {
    const [state] = await this.dataSource.query<{ version: string }[]>(
      'SELECT version::text FROM plinth.identity_state',
    );
    if (state === undefined) {
      throw new Error('The table plinth.identity_state is empty; it must hold one row.');
    }
    const isMissed = this.version !== null && this.version < this.seen;
    if (this.version === null) this.version = BigInt(state.version);
    else if (isMissed) this.version = this.seen;
    this.seen = BigInt(state.version);
    if (isMissed) this.tell(null);
  }

  private tell(userId: string | null): void {
    for (const listener of this.listeners) listener(userId);
  }

  private schedulePoll(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.poll(), POLL_MS);
    this.timer.unref();
  }

  private async poll(): Promise<void> {
    try {
      await this.look();
      this.noteHealth(null);
    } catch (error) {
      this.noteHealth(error);
    } finally {
      this.schedulePoll();
    }
  }

  /** Told once, when it begins and when it is over: what is known stays in force meanwhile. */
  private noteHealth(error: unknown): void {
    const isHealthy = error === null;
    if (isHealthy === this.isHealthy || this.isStopped) return;
    this.isHealthy = isHealthy;
    this.observer.observe(isHealthy ? { kind: 'auth.readable' } : { kind: 'auth.unreadable', error });
  }
}
