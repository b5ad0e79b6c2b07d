import type { Actor } from '../common/context/index.js';
import { Problem } from '../common/errors/index.js';
import type { RecentAuth } from '../common/http/index.js';
import { noCredential } from './credential.js';

/** The authentication context with two factors: `acr` in access tokens, `acr_values` in challenges (RFC 9470). */
export const TWO_FACTORS = 'aal2';

/** @throws Problem `unauthenticated`, `forbidden` for a key, or `reauthentication-required` with its challenge */
export function requireRecentAuth(actor: Actor, { maxAgeSeconds, secondFactor }: RecentAuth): void {
  if (actor.kind === 'public') throw noCredential();
  const { session } = actor;
  if (session === undefined)
    throw new Problem('forbidden', { detail: 'This address is for people who sign in.' });
  const needsTwo = secondFactor === true || (secondFactor === 'if-enrolled' && session.hasSecondFactor);
  const sinceMs = needsTwo ? session.secondFactorAtMs : session.authenticatedAtMs;
  if (sinceMs !== null && sinceMs + maxAgeSeconds * 1000 > Date.now()) return;
  throw needsTwo ? secondFactorRequired(maxAgeSeconds) : signInRequired(maxAgeSeconds);
}

const signInRequired = (seconds: number): Problem =>
  new Problem('reauthentication-required', {
    detail: `This needs a sign-in of the last ${seconds} seconds: renew it at /auth/step-up, or sign in again.`,
    headers: challenge(`max_age=${seconds}`),
  });

const secondFactorRequired = (seconds: number): Problem =>
  new Problem('reauthentication-required', {
    detail: `This needs a second factor of the last ${seconds} seconds: show one at /auth/step-up, or sign in again.`,
    headers: challenge(`acr_values="${TWO_FACTORS}", max_age=${seconds}`),
  });

/** RFC 9470. */
const challenge = (parameters: string): Record<string, string> => ({
  'www-authenticate': `Bearer realm="plinth", error="insufficient_user_authentication", ${parameters}`,
});
