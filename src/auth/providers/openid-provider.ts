import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  type Configuration,
} from 'openid-client';
import type { ProviderConfig } from '../../common/config/index.js';
import { clientAuthentication } from './client-authentication.js';
import { judging } from './judging.js';
import type { ExternalIdentity, FlowSecrets, Provider } from './provider.js';
import { createProviderFetch } from './provider-fetch.js';
import { ProviderFailure } from './provider-failure.js';
import { readEmail, readFlag, readGroups, readMember, readText, type Claims } from './read-claims.js';

const DEFAULT_SCOPES = ['openid', 'email', 'profile'];
/** Keys are renewed by themselves; this is for endpoints that move. */
const KNOWN_MS = 3_600_000;
/** A provider that is down is not asked by everybody who comes. */
const FAILED_MS = 2000;

interface Discovered {
  readonly configuration: Promise<Configuration>;
  expiresAtMs: number;
}

/** A provider of OpenID Connect: all but its issuer is discovered, and everything it says is checked against that. */
export class OpenidProvider implements Provider {
  readonly name: string;
  readonly label: string;
  private discovered: Discovered | null = null;

  constructor(
    private readonly config: ProviderConfig,
    private readonly issuer: string,
  ) {
    this.name = config.name;
    this.label = config.label ?? config.name;
  }

  begin(redirectUri: string, { state, nonce, verifier }: FlowSecrets): Promise<string> {
    return judging(async () => {
      const { scopes } = this.config;
      const url = buildAuthorizationUrl(await this.discover(), {
        redirect_uri: redirectUri,
        scope: [...new Set(['openid', ...(scopes.length === 0 ? DEFAULT_SCOPES : scopes)])].join(' '),
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return url.href;
    });
  }

  finish(callback: URL, { state, nonce, verifier }: FlowSecrets): Promise<ExternalIdentity> {
    return judging(async () => {
      const configuration = await this.discover();
      // Checks state, `iss` (RFC 9207), and of the ID token signature, issuer, audience, nonce and times.
      const tokens = await authorizationCodeGrant(configuration, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new ProviderFailure('refused', 'There is no ID token.');
      return this.describe(claims.sub, await this.complete(configuration, tokens.access_token, claims));
    });
  }

  /** Many providers say less in the ID token than they know. */
  private async complete(configuration: Configuration, accessToken: string, claims: Claims): Promise<Claims> {
    const { emailField, groupsClaim, roleMap } = this.config;
    const isEnough =
      readMember(claims, emailField) !== undefined &&
      (roleMap.length === 0 || readMember(claims, groupsClaim) !== undefined);
    if (isEnough || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
    const userinfo = await fetchUserInfo(configuration, accessToken, String(claims['sub']));
    return { ...userinfo, ...claims };
  }

  private describe(subject: string, claims: Claims): ExternalIdentity {
    const { emailField, emailVerifiedField, nameField, groupsClaim } = this.config;
    return {
      provider: this.name,
      issuer: this.issuer,
      subject,
      email: readEmail(readMember(claims, emailField)),
      isEmailVerified: readFlag(readMember(claims, emailVerifiedField)),
      name: readText(readMember(claims, nameField)),
      groups: readGroups(readMember(claims, groupsClaim)),
    };
  }

  private discover(): Promise<Configuration> {
    if (this.discovered === null || this.discovered.expiresAtMs <= Date.now()) {
      const discovered = { configuration: this.ask(), expiresAtMs: Date.now() + KNOWN_MS };
      discovered.configuration.catch(() => {
        discovered.expiresAtMs = Date.now() + FAILED_MS;
      });
      this.discovered = discovered;
    }
    return this.discovered.configuration;
  }

  /** That the document names this very issuer is checked there. */
  private ask(): Promise<Configuration> {
    const { clientId, clientSecret, allowsPrivateHosts } = this.config;
    const url = new URL(this.issuer);
    return discovery(url, clientId ?? '', {}, clientAuthentication(clientSecret), {
      [customFetch]: createProviderFetch({ trustedHosts: new Set([url.hostname]), allowsPrivateHosts }),
      // The signature of an ID token is checked, although it comes over TLS. What is no HTTPS, the fetch decides.
      execute: [enableNonRepudiationChecks, ...(url.protocol === 'http:' ? [allowInsecureRequests] : [])],
    });
  }
}
