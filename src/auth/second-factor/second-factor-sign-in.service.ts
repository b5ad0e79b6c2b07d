import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { DataSource, EntityManager } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { Client } from '../client.js';
import { Passkeys } from '../passkeys/passkeys.service.js';
import { joinMethods } from '../sessions/proof.js';
import type { StartedSession } from '../sessions/sessions.service.js';
import { OneTimeTokens, type TokenContent } from '../sign-in/one-time-tokens.service.js';
import { refuseForeignCookie } from '../sign-in/refuse-foreign-cookie.js';
import { OF_CODES, SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { SignInService, type SecondFactorTicket, type SignedIn } from '../sign-in/sign-in.service.js';
import { UsersService } from '../users/users.service.js';
import type { SecondFactorDto } from './second-factor.dto.js';
import { requireOneOf, SecondFactors } from './second-factors.service.js';

/** Wrong answers that a ticket survives, less one. */
const MAX_FAILURES = 5;

interface OpenTicket {
  readonly userId: string;
  readonly data: SecondFactorTicket;
}

/** The second step of a sign-in. */
@Injectable()
export class SecondFactorSignIn {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly tickets: OneTimeTokens,
    private readonly factors: SecondFactors,
    private readonly passkeys: Passkeys,
    private readonly attempts: SignInAttempts,
    private readonly users: UsersService,
    private readonly signIns: SignInService,
    private readonly events: SignInEvents,
  ) {}

  /**
   * Passkeys of the user whose ticket it is, who has shown a first factor.
   * @throws Problem `unauthenticated`
   */
  async passkeyOptions(ticket: string): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { userId } = readTicket(await this.tickets.find('second-factor', ticket, this.dataSource.manager));
    return this.passkeys.requestOptions('second-factor', ticket, userId);
  }

  /**
   * @param isOwnPage whether a page of another site may not have sent it
   * @throws Problem `unauthenticated`, `invalid-request`, `rate-limited`; `forbidden` for the cookie of another site's page
   */
  async finish(body: SecondFactorDto, isOwnPage: boolean, client: Client): Promise<SignedIn> {
    requireOneOf(body, ['code', 'credential']);
    const { manager } = this.dataSource;
    const { userId, data } = readTicket(await this.tickets.find('second-factor', body.ticket, manager));
    refuseForeignCookie({ session: data.kind }, isOwnPage);
    // Nobody guesses a signature; who guesses codes does not hold up a passkey.
    const what = body.credential === undefined ? 'code' : 'passkey';
    const forgive = await this.attempts.take(`second-factor ${what} ${userId}`, client.address, OF_CODES);
    const outcome = await this.dataSource.transaction((transaction) =>
      this.settle(userId, body, client, transaction),
    );
    if (outcome === 'ended') throw ticketRefused();
    if (outcome === 'wrong') throw answerRefused();
    await forgive();
    return this.signIns.present(outcome, userId);
  }

  /** What is wrong is counted and told of with the same transaction, so it must not fail for that. */
  private async settle(
    userId: string,
    body: SecondFactorDto,
    client: Client,
    manager: EntityManager,
  ): Promise<StartedSession | 'ended' | 'wrong'> {
    if (!(await this.users.holdActive(userId, manager))) return 'ended';
    const held = await this.tickets.hold('second-factor', body.ticket, manager);
    if (held === null) return 'ended';
    const { data } = readTicket(held);
    const purpose = { purpose: 'second-factor', binding: body.ticket } as const;
    const amr = await this.factors.verify(userId, body, purpose, client, manager);
    if (amr === null) {
      await this.countFailure(body.ticket, data, manager);
      await this.events.record('second-factor.refused', client, { userId }, manager);
      return 'wrong';
    }
    await this.tickets.consume('second-factor', body.ticket, manager);
    const proof = { amr: joinMethods(data.amr, amr), secondFactorAt: new Date() };
    return this.signIns.start(userId, proof, data.kind, client, manager);
  }

  private async countFailure(
    ticket: string,
    data: SecondFactorTicket,
    manager: EntityManager,
  ): Promise<void> {
    const failures = data.failures + 1;
    if (failures >= MAX_FAILURES) await this.tickets.consume('second-factor', ticket, manager);
    else await this.tickets.amend('second-factor', ticket, { ...data, failures }, manager);
  }
}

/** @throws Problem `unauthenticated` */
function readTicket(content: TokenContent | null): OpenTicket {
  if (content === null || content.userId === null) throw ticketRefused();
  return { userId: content.userId, data: content.data as SecondFactorTicket };
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="plinth"' };

const ticketRefused = (): Problem =>
  new Problem('unauthenticated', {
    detail: 'The ticket is unknown, used, expired, or was tried too often: sign in again.',
    headers: CHALLENGE,
  });

const answerRefused = (): Problem =>
  new Problem('unauthenticated', {
    detail: 'The second factor is wrong, or was used before.',
    headers: CHALLENGE,
  });
