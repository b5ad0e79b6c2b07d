import { Problem } from '../../common/errors/index.js';
import type { SessionKind } from '../sessions/sessions.service.js';

/**
 * Another site could sign somebody in to an account of its own, and read what they do there.
 * @param isOwnPage whether a page of another site may not have sent it, as `CrossSiteCheck.isOwn` says
 * @throws Problem `forbidden`
 */
export function refuseForeignCookie(
  { session }: { readonly session?: SessionKind },
  isOwnPage: boolean,
): void {
  if (session !== 'cookie' || isOwnPage) return;
  throw new Problem('forbidden', { detail: 'A page of another site may not sign in here with a cookie.' });
}
