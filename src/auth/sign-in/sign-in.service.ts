import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { PasswordStrategy } from '../passwords/password.strategy.js';
import type { SecondFactorStepDto } from '../second-factor/second-factor.dto.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import type { Proof } from '../sessions/proof.js';
import { RefreshService } from '../sessions/refresh.service.js';
import { SessionsService, type SessionKind, type StartedSession } from '../sessions/sessions.service.js';
import { AccessTokens } from '../tokens/access-tokens.service.js';
import { UsersService } from '../users/users.service.js';
import { Authenticator } from './authenticator.js';
import { OneTimeTokens } from './one-time-tokens.service.js';
import { SignInEvents } from './sign-in-events.service.js';
import type { RefreshedDto, SignedInDto, SignInDto, TokensDto } from './sign-in.dto.js';

/** What a sign-in gives: a body, and for a browser the value of a cookie with the seconds it lives. */
export interface SignedIn<Body = SignedInDto> {
  readonly body: Body;
  readonly cookie: { readonly value: string; readonly maxAgeSeconds: number } | null;
}

/** What a first factor gives: a session, or the question for a second factor. */
export type SignInOutcome = SignedIn<SignedInDto | SecondFactorStepDto>;

/** How somebody has proved who they are: each with the methods that it is, as RFC 8176 names them. */
const FIRST_FACTORS = {
  password: ['pwd'],
  email: ['otp'],
  provider: ['fed'],
} as const satisfies Record<string, readonly string[]>;

export type FirstFactor = keyof typeof FIRST_FACTORS;

/** What the ticket for the second step remembers of the first. */
export interface SecondFactorTicket {
  readonly kind: SessionKind;
  readonly amr: readonly string[];
  /** Wrong answers so far. */
  readonly failures: number;
}

const TICKET_SECONDS = 300;

/** Signs people in, and keeps them signed in. */
@Injectable()
export class SignInService implements OnModuleInit {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly authenticator: Authenticator,
    private readonly password: PasswordStrategy,
    private readonly sessions: SessionsService,
    private readonly refreshes: RefreshService,
    private readonly tokens: AccessTokens,
    private readonly users: UsersService,
    private readonly secondFactors: SecondFactors,
    private readonly tickets: OneTimeTokens,
    private readonly events: SignInEvents,
    private readonly config: PlinthConfig,
  ) {}

  onModuleInit(): void {
    this.authenticator.use(this.password);
  }

  /** @throws Problem `unauthenticated`, whatever was wrong; `rate-limited` */
  async signIn({ email, password, session = 'token' }: SignInDto, client: Client): Promise<SignInOutcome> {
    const claim = { email, password, address: client.address };
    const { isRight, userId } = await this.authenticator.authenticate('password', claim);
    if (!isRight || userId === null) {
      await this.events.record('sign-in.refused', client, { userId, email });
      throw new Problem('unauthenticated', {
        detail: 'The e-mail address or the password is wrong.',
        headers: { 'www-authenticate': 'Bearer realm="plinth"' },
      });
    }
    return this.complete(userId, 'password', session, client);
  }

  /** What follows on a first factor that was right, whichever it was: a session, or the question for a second factor. */
  async complete(
    userId: string,
    factor: FirstFactor,
    kind: SessionKind,
    client: Client,
  ): Promise<SignInOutcome> {
    const amr = FIRST_FACTORS[factor];
    const { methods } = await this.secondFactors.describe(userId);
    if (methods.length === 0) return this.begin(userId, { amr, secondFactorAt: null }, kind, client);
    const data: SecondFactorTicket = { kind, amr, failures: 0 };
    const ticket = await this.dataSource.transaction(async (manager) => {
      await this.events.record('second-factor.asked', client, { userId }, manager);
      return this.tickets.issue('second-factor', TICKET_SECONDS, manager, { userId, data });
    });
    return { body: { step: 'second-factor', ticket, methods, expiresIn: TICKET_SECONDS }, cookie: null };
  }

  /**
   * Starts a session for a user who has proved all that is asked for.
   * @throws Problem `unauthenticated` where the user may not sign in any more
   */
  async begin(userId: string, proof: Proof, kind: SessionKind, client: Client): Promise<SignedIn> {
    const started = await this.dataSource.transaction((manager) =>
      this.start(userId, proof, kind, client, manager),
    );
    return this.present(started, userId);
  }

  /** The same as a part of a transaction; `present` gives the answer after it. */
  async start(
    userId: string,
    proof: Proof,
    kind: SessionKind,
    client: Client,
    manager: EntityManager,
  ): Promise<StartedSession> {
    if (!(await this.users.holdActive(userId, manager))) {
      throw new Problem('unauthenticated', {
        detail: 'The sign-in is not good any more: sign in again.',
        headers: { 'www-authenticate': 'Bearer realm="plinth"' },
      });
    }
    const session = await this.sessions.start(userId, proof, kind, client, manager);
    await this.events.record('signed-in', client, { userId, sessionId: session.id }, manager);
    return session;
  }

  async present(started: StartedSession, userId: string): Promise<SignedIn> {
    const [tokens, user] = await Promise.all([this.giveTokens(started), this.users.get(userId)]);
    return {
      body: Object.assign({ user }, tokens),
      cookie: started.kind === 'cookie' ? { value: started.secret, maxAgeSeconds: tokens.expiresIn } : null,
    };
  }

  /** @throws Problem `unauthenticated`, `conflict` */
  async refresh(refreshToken: string, client: Client): Promise<RefreshedDto> {
    const started = await this.refreshes.rotate(refreshToken, client);
    return this.issue(started);
  }

  private async giveTokens(started: StartedSession): Promise<TokensDto> {
    return started.kind === 'token' ? this.issue(started) : { expiresIn: this.config.sessionDays * 86_400 };
  }

  private async issue({ id, secret }: StartedSession): Promise<RefreshedDto> {
    const issued = await this.tokens.issue(await this.sessions.get(id));
    return { ...issued, tokenType: 'Bearer', refreshToken: secret };
  }
}
