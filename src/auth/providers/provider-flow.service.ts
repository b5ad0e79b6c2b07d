import { createHmac } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { addressGroup } from '../../common/http/index.js';
import { Observer } from '../../common/observability/index.js';
import type { Client } from '../client.js';
import { findReturnUrl } from '../return-urls.js';
import type { SessionKind } from '../sessions/sessions.service.js';
import { Authenticator } from '../sign-in/authenticator.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { SignInService, type SignedIn, type SignInOutcome } from '../sign-in/sign-in.service.js';
import { browserHashOf, FlowCodes, isSame, type CodeProof, type Holder } from './flow-codes.service.js';
import { FLOW_SECONDS } from './flow-cookie.js';
import type { Rejection } from './identities.service.js';
import type { FlowSecrets } from './provider.js';
import { ProviderFailure } from './provider-failure.js';
import type { Intent, StartFlowQuery } from './provider-flow.dto.js';
import { ProviderStrategy, RejectedError, type ProviderClaim } from './provider.strategy.js';
import { Providers } from './providers.service.js';

/** At most, under way from one address. */
const MAX_UNDER_WAY = 200;

const COUNT = `
  SELECT count(*)::int AS count FROM plinth.one_time_tokens
  WHERE purpose = 'provider-state' AND data ->> 'from' = $1 AND expires_at > now()`;

/** A way to a provider and back, as it is kept meanwhile. What it is checked by, only the browser has. */
interface Flow {
  readonly provider: string;
  readonly returnTo: string;
  readonly session: SessionKind;
  readonly intent: Intent;
  readonly challenge: string | null;
  readonly browserHash: string;
  /** The client's address, for the count of what is under way. */
  readonly from: string;
}

/** What applications are told in the return address, after RFC 6749. */
type FlowError = 'access_denied' | 'provider_unavailable' | 'provider_refused' | Rejection;

export interface FinishedFlow {
  /** Where the browser goes on. */
  readonly location: string;
  /** Of a session that has begun. */
  readonly cookie: SignedIn['cookie'];
}

/**
 * Leads a browser to a provider and back, and from there to a session. A way back counts once, within ten minutes, and in
 * the browser that went: nonce and PKCE verifier are derived from a secret that only its cookie has, so nothing that is
 * kept here helps anybody to finish.
 */
@Injectable()
export class ProviderFlow implements OnModuleInit {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly providers: Providers,
    private readonly tokens: OneTimeTokens,
    private readonly codes: FlowCodes,
    private readonly authenticator: Authenticator,
    private readonly strategy: ProviderStrategy,
    private readonly signIns: SignInService,
    private readonly events: SignInEvents,
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  onModuleInit(): void {
    this.authenticator.use(this.strategy);
  }

  /**
   * @param browser the secret of the browser's cookie
   * @returns where to send it
   * @throws Problem `not-found`, `invalid-parameter`, `rate-limited`, `provider-unavailable`
   */
  async start(name: string, query: StartFlowQuery, browser: string, client: Client): Promise<string> {
    const provider = this.providers.get(name);
    const { session = 'token', intent = 'sign-in', codeChallenge = null } = query;
    const from = addressGroup(client.address);
    const flow: Flow = {
      provider: name,
      returnTo: this.readReturnUrl(query.returnTo),
      session,
      intent,
      challenge: codeChallenge,
      browserHash: browserHashOf(browser),
      from,
    };
    await this.refuseTooMany(from);
    const state = await this.tokens.issue('provider-state', FLOW_SECONDS, this.dataSource.manager, {
      data: flow,
    });
    try {
      return await provider.begin(this.redirectUri(name), deriveSecrets(state, browser));
    } catch (error) {
      this.tell(name, error);
      throw new Problem('provider-unavailable', {
        detail: `The provider ${name} cannot be reached; try again later.`,
        headers: { 'retry-after': '5' },
        cause: error,
      });
    }
  }

  /**
   * @param search what the provider added to the redirect address
   * @throws Problem `forbidden` where this browser is not under way
   */
  async finish(
    name: string,
    search: URLSearchParams,
    browser: string | null,
    client: Client,
  ): Promise<FinishedFlow> {
    this.providers.get(name);
    const state = search.get('state') ?? '';
    const found = await this.tokens.consume('provider-state', state, this.dataSource.manager);
    const flow = found?.data as Flow | undefined;
    const isOwn = browser !== null && flow !== undefined && isSame(browserHashOf(browser), flow.browserHash);
    if (!isOwn || flow.provider !== name) {
      throw new Problem('forbidden', {
        detail: 'This sign-in is unknown, used, expired, or was begun in another browser: begin again.',
      });
    }
    const callback = new URL(this.redirectUri(name));
    callback.search = search.toString();
    const claim: ProviderClaim = { provider: name, callback, secrets: deriveSecrets(state, browser), client };
    try {
      return await this.proceed(flow, claim);
    } catch (error) {
      return {
        location: withParameter(flow.returnTo, 'error', await this.explain(error, claim)),
        cookie: null,
      };
    }
  }

  /**
   * A session for a code.
   * @throws Problem `forbidden`
   */
  async exchange(proof: CodeProof, session: SessionKind, client: Client): Promise<SignInOutcome> {
    const { userId } = await this.codes.use('sign-in', proof);
    return this.signIns.complete(userId, 'provider', session, client);
  }

  private async proceed(flow: Flow, claim: ProviderClaim): Promise<FinishedFlow> {
    const { returnTo, challenge, browserHash, session, intent } = flow;
    const holder: Holder = challenge === null ? { browserHash } : { challenge };
    if (intent === 'link') {
      const identity = await this.providers.get(claim.provider).finish(claim.callback, claim.secrets);
      const code = await this.codes.issue({ intent, identity }, holder);
      return { location: withParameter(returnTo, 'code', code), cookie: null };
    }
    const { userId } = await this.authenticator.authenticate(this.strategy.name, claim);
    if (userId === null) throw new Error('The strategy succeeded without a user.');
    if (session === 'cookie') {
      const { cookie } = await this.signIns.complete(userId, 'provider', 'cookie', claim.client);
      if (cookie !== null) return { location: returnTo, cookie };
      // More is asked for, and that is told in the answer to the code.
    }
    const code = await this.codes.issue({ intent, userId }, holder);
    return { location: withParameter(returnTo, 'code', code), cookie: null };
  }

  private async explain(error: unknown, { provider, client }: ProviderClaim): Promise<FlowError> {
    const told = toFlowError(error);
    if (told === null) throw error;
    this.tell(provider, error);
    await this.events.record('sign-in.refused', client, {});
    return told;
  }

  private tell(provider: string, error: unknown): void {
    if (!(error instanceof ProviderFailure) || error.kind === 'denied') return;
    this.observer.observe({
      kind: 'auth.provider-failed',
      provider,
      failure: error.kind,
      reason: error.message,
    });
  }

  private redirectUri(name: string): string {
    return `${this.config.publicUrl}/auth/oidc/${name}/callback`;
  }

  private readReturnUrl(text: string | undefined): string {
    const { returnUrls } = this.config;
    const given = text ?? returnUrls[0];
    const url = given === undefined ? null : findReturnUrl(given, returnUrls);
    if (url !== null) return url.href;
    const message = 'is not below any of PLINTH_RETURN_URLS';
    throw new Problem('invalid-parameter', {
      detail: `returnTo ${message}.`,
      errors: [{ pointer: '?returnTo', code: 'not-allowed', message }],
    });
  }

  private async refuseTooMany(from: string): Promise<void> {
    const [row] = await this.dataSource.query<{ count: number }[]>(COUNT, [from]);
    if ((row?.count ?? 0) < MAX_UNDER_WAY) return;
    throw new Problem('rate-limited', {
      detail: `At most ${MAX_UNDER_WAY} sign-ins of one address may be under way; try again later.`,
      headers: { 'retry-after': '60' },
    });
  }
}

function toFlowError(error: unknown): FlowError | null {
  if (error instanceof RejectedError) return error.rejection;
  if (!(error instanceof ProviderFailure)) return null;
  if (error.kind === 'denied') return 'access_denied';
  return error.kind === 'unavailable' ? 'provider_unavailable' : 'provider_refused';
}

function deriveSecrets(state: string, browser: string): FlowSecrets {
  const derive = (what: string): string =>
    createHmac('sha256', browser).update(`${what} ${state}`).digest('base64url');
  return { state, nonce: derive('nonce'), verifier: derive('verifier') };
}

function withParameter(address: string, name: string, value: string): string {
  const url = new URL(address);
  url.searchParams.set(name, value);
  return url.href;
}
