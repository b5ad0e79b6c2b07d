import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  Configuration,
  customFetch,
  fetchProtectedResource,
} from 'openid-client';
import type { ProviderConfig } from '../../common/config/index.js';
import { clientAuthentication } from './client-authentication.js';
import { judging } from './judging.js';
import type { ExternalIdentity, FlowSecrets, Provider } from './provider.js';
import { createProviderFetch } from './provider-fetch.js';
import { ProviderFailure } from './provider-failure.js';
import {
  readEmail,
  readFlag,
  readGroups,
  readMember,
  readSubject,
  readText,
  type Claims,
} from './read-claims.js';

/** Of plain OAuth 2, what OpenID Connect would discover. */
export interface Endpoints {
  readonly authorization: string;
  readonly token: string;
  readonly userinfo: string;
  readonly emails: string | null;
}

interface Address {
  readonly email: string | null;
  readonly isVerified: boolean;
}

/**
 * A provider of plain OAuth 2: there is no ID token, so who somebody is says the userinfo, and its address is the issuer.
 * With the code there is nothing but PKCE and the state to hold it to this browser.
 */
export class OauthProvider implements Provider {
  readonly name: string;
  readonly label: string;
  private readonly configuration: Configuration;

  constructor(
    private readonly config: ProviderConfig,
    private readonly endpoints: Endpoints,
  ) {
    this.name = config.name;
    this.label = config.label ?? config.name;
    this.configuration = toConfiguration(config, endpoints);
  }

  begin(redirectUri: string, { state, verifier }: FlowSecrets): Promise<string> {
    return judging(async () => {
      const { scopes } = this.config;
      const url = buildAuthorizationUrl(this.configuration, {
        redirect_uri: redirectUri,
        ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
        state,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return url.href;
    });
  }

  finish(callback: URL, { state, verifier }: FlowSecrets): Promise<ExternalIdentity> {
    return judging(async () => {
      // Without an issuer that is configured there is nothing to hold it against: the redirect address is of one provider.
      callback.searchParams.delete('iss');
      const { access_token: token } = await authorizationCodeGrant(this.configuration, callback, {
        expectedState: state,
        pkceCodeVerifier: verifier,
      });
      const claims = toClaims(await this.ask(this.endpoints.userinfo, token));
      const { subjectField, nameField, groupsClaim } = this.config;
      const subject = readSubject(readMember(claims, subjectField));
      if (subject === null) {
        throw new ProviderFailure('refused', `The userinfo has no member ${subjectField}.`);
      }
      const { email, isVerified } = await this.readAddress(claims, token);
      return {
        provider: this.name,
        issuer: this.endpoints.userinfo,
        subject,
        email,
        isEmailVerified: isVerified,
        name: readText(readMember(claims, nameField)),
        groups: readGroups(readMember(claims, groupsClaim)),
      };
    });
  }

  private async readAddress(claims: Claims, token: string): Promise<Address> {
    const { emailField, emailVerifiedField } = this.config;
    if (this.endpoints.emails === null) {
      return {
        email: readEmail(readMember(claims, emailField)),
        isVerified: readFlag(readMember(claims, emailVerifiedField)),
      };
    }
    const listed = await this.ask(this.endpoints.emails, token);
    const entries = (Array.isArray(listed) ? listed : []).map(toClaims);
    const primary = entries.find((entry) => readFlag(entry['primary']));
    return { email: readEmail(primary?.['email']), isVerified: readFlag(primary?.['verified']) };
  }

  private async ask(url: string, token: string): Promise<unknown> {
    const headers = new Headers({ accept: 'application/json', 'user-agent': 'plinth' });
    const answer = await fetchProtectedResource(
      this.configuration,
      token,
      new URL(url),
      'GET',
      undefined,
      headers,
    );
    if (!answer.ok) {
      const kind = answer.status >= 500 ? 'unavailable' : 'refused';
      throw new ProviderFailure(kind, `The userinfo is answered with ${answer.status}.`);
    }
    return answer.json();
  }
}

const toClaims = (value: unknown): Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : {};

function toConfiguration(config: ProviderConfig, endpoints: Endpoints): Configuration {
  const urls = Object.values(endpoints).flatMap((url: string | null) => (url === null ? [] : [new URL(url)]));
  const configuration = new Configuration(
    {
      issuer: endpoints.userinfo,
      authorization_endpoint: endpoints.authorization,
      token_endpoint: endpoints.token,
      // What nearly all of them take.
      token_endpoint_auth_methods_supported: ['client_secret_post'],
    },
    config.clientId ?? '',
    {},
    clientAuthentication(config.clientSecret),
  );
  configuration[customFetch] = createProviderFetch({
    trustedHosts: new Set(urls.map(({ hostname }) => hostname)),
    allowsPrivateHosts: config.allowsPrivateHosts,
  });
  if (urls.some(({ protocol }) => protocol === 'http:')) allowInsecureRequests(configuration);
  return configuration;
}
