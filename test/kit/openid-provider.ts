import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import { locationOf, type CookieBrowser } from './cookie-browser.js';
import { findFreePort } from './free-port.js';

export const CLIENT_ID = 'plinth-at-the-provider';
export const CLIENT_SECRET = 'a secret between the two of them';

/** What the provider says of somebody. */
export interface Account {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly groups?: readonly string[];
}

export interface RunningProvider {
  readonly issuer: string;
  /** By login name, which is the subject. */
  readonly accounts: Map<string, Account>;
  close(): Promise<void>;
}

const PATIENCE = 20;

/** An OpenID provider of npm, on this machine, with its own pages to sign in. */
export async function startOpenidProvider(redirectUris: readonly string[]): Promise<RunningProvider> {
  const port = await findFreePort();
  const issuer = `http://127.0.0.1:${port}`;
  const accounts = new Map<string, Account>();
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [...redirectUris] }],
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...accounts.get(id) }),
    }),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    pkce: { required: () => true },
    cookies: { keys: ['only for tests'] },
  });
  const server = createServer((request, response) => void provider.callback()(request, response)).listen(
    port,
    '127.0.0.1',
  );
  await once(server, 'listening');
  return {
    issuer,
    accounts,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * Goes from `start` through the provider's pages as a person does, until the browser is led to where `isEnd` says.
 * @param login the name to sign in with; null cancels
 */
export async function passThrough(
  browser: CookieBrowser,
  start: string,
  login: string | null,
  isEnd: (url: string) => boolean,
): Promise<string> {
  let url = start;
  let form: Record<string, string> | undefined;
  for (let step = 0; step < PATIENCE; step += 1) {
    const response = await browser.open(url, form);
    form = undefined;
    if (response.headers.has('location')) {
      url = locationOf(response, url);
      if (isEnd(url)) return url;
      continue;
    }
    const page = await response.text();
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
    if (response.status !== 200 || action === undefined)
      throw new Error(`${url} is answered with ${response.status}: ${page.slice(0, 500)}`);
    if (login === null) {
      url = `${new URL(action, url).href}/abort`;
      continue;
    }
    url = new URL(action, url).href;
    form = page.includes('value="consent"')
      ? { prompt: 'consent' }
      : { prompt: 'login', login, password: 'any' };
  }
  throw new Error('The browser is led about without end.');
}
