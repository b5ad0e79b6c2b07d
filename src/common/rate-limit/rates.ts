import type { PlinthConfig, Rate } from '../config/index.js';

/**
 * What is limited: requests of a key or user, of an address without a credential, wrong credentials of an address, users
 * without an account that an address makes.
 */
export type LimitName = 'caller' | 'address' | 'credentials' | 'anonymous';

/** The rate of each limit, null for none. */
export const ratesOf = ({
  rateLimit,
  publicRateLimit,
  credentialRateLimit,
  anonymousRate,
}: Pick<PlinthConfig, 'rateLimit' | 'publicRateLimit' | 'credentialRateLimit' | 'anonymousRate'>): Readonly<
  Record<LimitName, Rate | null>
> => ({
  caller: rateLimit,
  address: publicRateLimit,
  credentials: credentialRateLimit,
  anonymous: anonymousRate,
});
