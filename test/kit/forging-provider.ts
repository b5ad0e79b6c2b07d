import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { CLIENT_ID } from './openid-provider.js';

/** What a provider does that it should not. */
export interface Forgery {
  /** Instead of what is right. */
  readonly claims?: JWTPayload;
  readonly key?: 'own' | 'foreign' | 'none';
  /** Of the token endpoint. */
  readonly status?: number;
  readonly isHuge?: boolean;
  readonly isSilent?: boolean;
  /** Members of the discovery document. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ForgingProvider {
  readonly issuer: string;
  forgery: Forgery;
  /** Grants a code for an authorization request: the challenge and the nonce are held against it. */
  grant(authorizationUrl: string): URLSearchParams;
  close(): Promise<void>;
}

interface Grant {
  readonly nonce: string | null;
  readonly challenge: string | null;
}

/** A provider that says whatever it is told to, and otherwise what is right. */
export async function startForgingProvider(): Promise<ForgingProvider> {
  const own = await generateKeyPair('RS256');
  const foreign = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'RS256', use: 'sig' };
  const grants = new Map<string, Grant>();

  const sign = (nonce: string | null): Promise<string> | string => {
    const { claims, key = 'own' } = state.forgery;
    const payload = {
      iss: state.issuer,
      aud: CLIENT_ID,
      sub: 'forger',
      email: 'forger@example.org',
      email_verified: true,
      ...(nonce === null ? {} : { nonce }),
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 60,
      ...claims,
    };
    if (key === 'none') return new UnsecuredJWT(payload).encode();
    const pair = key === 'own' ? own : foreign;
    return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'own' }).sign(pair.privateKey);
  };

  const answer = async (request: IncomingMessage): Promise<readonly [number, object]> => {
    const path = new URL(request.url ?? '/', state.issuer).pathname;
    if (path === '/.well-known/openid-configuration') {
      return [
        200,
        {
          issuer: state.issuer,
          authorization_endpoint: `${state.issuer}/authorize`,
          token_endpoint: `${state.issuer}/token`,
          jwks_uri: `${state.issuer}/jwks`,
          authorization_response_iss_parameter_supported: true,
          ...state.forgery.metadata,
        },
      ];
    }
    if (path === '/jwks') return [200, { keys: [jwk] }];
    const form = new URLSearchParams(await readText(request));
    const code = form.get('code') ?? '';
    const granted = grants.get(code);
    grants.delete(code);
    const { status = 200 } = state.forgery;
    if (status !== 200) return [status, { error: 'server_error' }];
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (granted === undefined || challenge !== granted.challenge) return [400, { error: 'invalid_grant' }];
    return [
      200,
      { access_token: 'at', token_type: 'bearer', expires_in: 60, id_token: await sign(granted.nonce) },
    ];
  };

  const server = createServer((request, response) => {
    if (state.forgery.isSilent) return;
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body) + (state.forgery.isHuge ? ' '.repeat(2 * 1024 * 1024) : ''));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const state: ForgingProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forgery: {},
    grant(authorizationUrl) {
      const asked = new URL(authorizationUrl).searchParams;
      const code = crypto.randomUUID();
      grants.set(code, {
        nonce: asked.get('nonce'),
        challenge: asked.get('code_challenge'),
      });
      return new URLSearchParams({ code, state: asked.get('state') ?? '', iss: state.issuer });
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return state;
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
