import { generateSecret, generateURI, verifySync } from 'otplib';

/** How codes of authenticator apps are made everywhere: SHA-1, six digits, thirty seconds (RFC 6238). */
const STEP_SECONDS = 30;
const CODE = /^\d{6}$/;

/** 160 bits in base32, as RFC 4226 recommends. */
export const makeTotpSecret = (): string => generateSecret();

/** What an authenticator app takes as a QR code. */
export const totpUri = (issuer: string, label: string, secret: string): string =>
  generateURI({ issuer, label, secret });

/** Whether a text could be a code of an app at all. */
export const isTotpCode = (text: string): boolean => CODE.test(text);

/**
 * The time step that a code is of, or null where it is none of now, of the step before or of the one after. Clocks differ,
 * and people type.
 * @param lastStep up to which codes have been used
 */
export function findTotpStep(secret: string, code: string, lastStep: number | null): number | null {
  if (!isTotpCode(code)) return null;
  const verdict = verifySync({
    secret,
    token: code,
    period: STEP_SECONDS,
    epochTolerance: STEP_SECONDS,
    ...(lastStep === null ? {} : { afterTimeStep: lastStep }),
  });
  return verdict.valid && 'timeStep' in verdict ? verdict.timeStep : null;
}
