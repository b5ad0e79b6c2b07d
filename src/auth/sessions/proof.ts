import { TWO_FACTORS } from '../../access/index.js';

/** How somebody has proved who they are. */
export interface Proof {
  /** Authentication methods, as RFC 8176 names them. */
  readonly amr: readonly string[];
  /** When two factors were shown, or one that counts as two; null where it was one. */
  readonly secondFactorAt: Date | null;
}

const ONE_FACTOR = 'aal1';

/** The authentication context: `acr` in access tokens. */
export const contextClassOf = (hasSecondFactor: boolean): string =>
  hasSecondFactor ? TWO_FACTORS : ONE_FACTOR;

/** Both lists, each method once, and `mfa` besides where there are two factors. */
export const joinMethods = (first: readonly string[], second: readonly string[]): readonly string[] => [
  ...new Set([...first, ...second, 'mfa']),
];
