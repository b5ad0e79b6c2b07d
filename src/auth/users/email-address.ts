/** RFC 5321 allows no more. */
export const MAX_EMAIL_LENGTH = 254;

/**
 * The form of an address under which an account is kept and found. Only letter case is folded: other characters that
 * look alike stay different addresses, because mail to them reaches different people.
 */
export const normaliseEmail = (address: string): string => address.normalize('NFC').toLowerCase();
