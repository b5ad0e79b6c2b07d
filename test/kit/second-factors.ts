import { generateSync } from 'otplib';
import { IdentityWatch } from '../../src/auth/sessions/identity-watch.js';
import type { TestApp, TestResponse } from './app.js';
import { trySignIn } from './people.js';
import { SoftwareAuthenticator } from './software-authenticator.js';

/** An authenticator app, as a person has it. */
export interface AuthenticatorApp {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
  /** A code that was not used yet: each call takes back what the server remembers of codes. */
  freshCode(): Promise<string>;
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** The code of so many steps from now. */
export const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: nowSeconds() + steps * 30 });

/** One that is none of the secret's around now. */
export function wrongCodeOf(secret: string): string {
  const right = new Set([-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps)));
  let code = 123_456;
  while (right.has(String(code))) code += 1;
  return String(code);
}

/** Adds an authenticator app to the account whose token it is. */
export async function addApp(app: TestApp, key: string, userId: string): Promise<AuthenticatorApp> {
  const enrolled = await app.request('POST', '/auth/totp/enroll', { key });
  if (enrolled.status !== 200) throw new Error(`No enrolment: ${enrolled.text}`);
  const { secret } = enrolled.body as { secret: string };
  const confirmed = await app.request('POST', '/auth/totp/confirm', { key, body: { code: codeOf(secret) } });
  if (confirmed.status !== 200) throw new Error(`Not confirmed: ${confirmed.text}`);
  return {
    secret,
    recoveryCodes: (confirmed.body as { recoveryCodes: string[] | null }).recoveryCodes ?? [],
    async freshCode() {
      await app.database.query('UPDATE plinth.user_totp SET last_step = 0 WHERE user_id = $1', [userId]);
      return codeOf(secret);
    },
  };
}

/** Adds a passkey to the account whose token it is. */
export async function addPasskey(
  app: TestApp,
  key: string,
  authenticator: SoftwareAuthenticator = new SoftwareAuthenticator(),
): Promise<SoftwareAuthenticator> {
  const { body: options } = await app.request('POST', '/auth/passkeys/register/options', { key });
  const made = await app.request('POST', '/auth/passkeys/register/verify', {
    key,
    body: { credential: authenticator.create(options) },
  });
  if (made.status !== 201) throw new Error(`No passkey: ${made.text}`);
  return authenticator;
}

/** The ticket that a right password gives where there is a second factor. */
export async function ticketFor(app: TestApp, email: string): Promise<string> {
  const { body, text } = await trySignIn(app, email);
  if (body?.step !== 'second-factor') throw new Error(`No second step: ${text}`);
  return (body as { ticket: string }).ticket;
}

export const finish = (app: TestApp, ticket: string, answer: object): Promise<TestResponse> =>
  app.request('POST', '/auth/second-factor', { body: { ticket, ...answer } });

/** Changes what the database knows of a user's sessions; the server has heard of it when this resolves. */
export async function changeSessions(app: TestApp, userId: string, set: string): Promise<void> {
  const watch = app.server.app.get(IdentityWatch, { strict: false });
  const heard = new Promise<void>((resolve) => {
    watch.onChange((whose) => {
      if (whose === userId || whose === null) resolve();
    });
  });
  await app.database.query(`UPDATE plinth.sessions SET ${set} WHERE user_id = $1`, [userId]);
  await heard;
}

/** Lets a session's proofs be older. */
export const age = (app: TestApp, userId: string, minutes: number): Promise<void> =>
  changeSessions(
    app,
    userId,
    `authenticated_at = authenticated_at - interval '${minutes} minutes',
     second_factor_at = second_factor_at - interval '${minutes} minutes'`,
  );
