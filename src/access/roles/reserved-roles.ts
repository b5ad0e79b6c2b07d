/** Everything, on every collection. */
export const ADMIN_ROLE = 'admin';
/** What everyone has, signed in or not. */
export const PUBLIC_ROLE = 'public';

/** The roles in force for an actor that has been given some: sorted, so that equal sets share their compiled rules. */
export const effectiveRoles = (given: readonly string[]): readonly string[] =>
  [...new Set([...given, PUBLIC_ROLE])].sort();
