/** Everything, on every collection. */
export const ADMIN_ROLE = 'admin';
/** What everyone has, signed in or not. */
export const PUBLIC_ROLE = 'public';
/** What every user has who began without an account, instead of `authenticated`. */
export const ANONYMOUS_ROLE = 'anonymous';
/** What every other signed-in user has. */
export const AUTHENTICATED_ROLE = 'authenticated';

/** The roles in force for an actor that has been given some: sorted, so that equal sets share their compiled rules. */
export const effectiveRoles = (given: readonly string[]): readonly string[] =>
  [...new Set([...given, PUBLIC_ROLE])].sort();
