import type { TestApp, TestResponse } from './app.js';

/** One that the estimator finds good. */
export const PASSWORD = 'tundra velvet kiosk 41';

export interface Person {
  readonly id: string;
  readonly email: string;
}

/** What a sign-in gave, for the requests that follow. */
export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Makes a user as an administrator does. */
export async function createPerson(app: TestApp, email: string, fields: object = {}): Promise<Person> {
  const made = await app.admin('POST', '/system/users', { email, password: PASSWORD, ...fields });
  if (made.status !== 201) throw new Error(`No user was made: ${made.text}`);
  return { id: (made.body as Person).id, email };
}

export const trySignIn = (
  app: TestApp,
  email: string,
  password: string = PASSWORD,
  headers?: Record<string, string>,
): Promise<TestResponse> => app.request('POST', '/auth/sign-in', { body: { email, password }, headers });

/** Signs in, and has the caller's document read, so that what ends the session can still be held against it. */
export async function signIn(app: TestApp, email: string, password: string = PASSWORD): Promise<SignedIn> {
  const answer = await trySignIn(app, email, password);
  if (answer.status !== 200) throw new Error(`No sign-in: ${answer.text}`);
  const { accessToken, refreshToken } = answer.body as SignedIn;
  await app.request('GET', '/auth/me', { key: accessToken });
  return { accessToken, refreshToken };
}

/** Signs in with a cookie; gives it as a `Cookie` header has it. */
export async function signInWithCookie(app: TestApp, email: string): Promise<string> {
  const answer = await app.request('POST', '/auth/sign-in', {
    body: { email, password: PASSWORD, session: 'cookie' },
  });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
  if (answer.status !== 200 || cookie === '') throw new Error(`No cookie: ${answer.text}`);
  await app.request('GET', '/auth/me', { headers: { cookie } });
  return cookie;
}

/** The status with which a token is answered now. */
export const statusOf = (app: TestApp, accessToken: string): Promise<number> =>
  statusWith(app, { authorization: `Bearer ${accessToken}` });

/** The same for any credential. */
export async function statusWith(app: TestApp, headers: Record<string, string>): Promise<number> {
  const response = await fetch(`${app.url}/auth/sessions`, { headers });
  await response.arrayBuffer();
  return response.status;
}

/** Forgets all attempts, which tests make from one address. */
export const forgetAttempts = (app: TestApp): Promise<unknown> =>
  app.database.query('DELETE FROM plinth.sign_in_attempts');
