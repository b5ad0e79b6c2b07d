import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import type { Actor, ActorSession } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { userOf } from '../account/account.service.js';
import type { Client } from '../client.js';
import { Passkeys } from '../passkeys/passkeys.service.js';
import { Passwords } from '../passwords/passwords.service.js';
import { requireOneOf, SecondFactors } from '../second-factor/second-factors.service.js';
import { joinMethods, type Proof } from '../sessions/proof.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { OF_CODES, SignInAttempts } from '../sign-in/sign-in-attempts.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { AccessTokens } from '../tokens/access-tokens.service.js';
import type { SteppedUpDto, StepUpDto } from './step-up.dto.js';

interface SignedInUser {
  readonly userId: string;
  readonly session: ActorSession;
}

/** Renews what a session has proved, without a new sign-in: the session and its tokens stay. */
@Injectable()
export class StepUp {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly passwords: Passwords,
    private readonly factors: SecondFactors,
    private readonly passkeys: Passkeys,
    private readonly attempts: SignInAttempts,
    private readonly sessions: SessionsService,
    private readonly tokens: AccessTokens,
    private readonly events: SignInEvents,
    private readonly config: PlinthConfig,
  ) {}

  passkeyOptions(actor: Actor): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { userId, session } = signedIn(actor);
    return this.passkeys.requestOptions('step-up', session.id, userId);
  }

  /**
   * A password makes the sign-in a recent one; anything else makes the second factor so, too.
   * @throws Problem `forbidden` for what is wrong, `invalid-request`, `rate-limited`
   */
  async stepUp(actor: Actor, answer: StepUpDto, client: Client): Promise<SteppedUpDto> {
    const user = signedIn(actor);
    requireOneOf(answer, ['password', 'code', 'credential']);
    const { userId, session } = user;
    const proof =
      answer.password === undefined
        ? await this.showSecondFactor(user, answer, client)
        : await this.showPassword(user, answer.password, client);
    if (proof === null) {
      await this.events.record('step-up.refused', client, { userId, sessionId: session.id });
      throw refused(answer);
    }
    await this.sessions.renewProof(session.id, userId, proof);
    await this.events.record('stepped-up', client, { userId, sessionId: session.id });
    if (session.isCookie) return { expiresIn: this.config.sessionDays * 86_400 };
    return { ...(await this.tokens.issue(await this.sessions.get(session.id))), tokenType: 'Bearer' };
  }

  private async showPassword(
    { userId, session }: SignedInUser,
    password: string,
    client: Client,
  ): Promise<Proof | null> {
    const forgive = await this.attempts.take(`password ${userId}`, client.address);
    const { isRight } = await this.passwords.verifyById(userId, password);
    if (!isRight) return null;
    await forgive();
    return { amr: [...new Set([...session.amr, 'pwd'])], secondFactorAt: null };
  }

  private async showSecondFactor(
    { userId, session }: SignedInUser,
    answer: StepUpDto,
    client: Client,
  ): Promise<Proof | null> {
    const what = answer.credential === undefined ? 'code' : 'passkey';
    const forgive = await this.attempts.take(`second-factor ${what} ${userId}`, client.address, OF_CODES);
    // Used up before the session is changed: locks of a user's factors come after that of the version of identities.
    const amr = await this.dataSource.transaction((manager) =>
      this.factors.verify(userId, answer, { purpose: 'step-up', binding: session.id }, client, manager),
    );
    if (amr === null) return null;
    await forgive();
    return { amr: joinMethods(session.amr, amr), secondFactorAt: new Date() };
  }
}

/** @throws Problem `forbidden` for a key, which has no session */
function signedIn(actor: Actor): SignedInUser {
  const userId = userOf(actor);
  const { session } = actor;
  if (session === undefined) throw new Problem('forbidden', { detail: 'There is no session to renew.' });
  return { userId, session };
}

function refused({ password, code }: StepUpDto): Problem {
  const member = password !== undefined ? 'password' : code !== undefined ? 'code' : 'credential';
  return new Problem('forbidden', {
    detail: `The ${member} is wrong, or was used before.`,
    errors: [{ pointer: `/${member}`, code: 'wrong', message: 'is wrong' }],
  });
}
