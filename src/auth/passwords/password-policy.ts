import { Injectable } from '@nestjs/common';
import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { PlinthConfig } from '../../common/config/index.js';
import { Problem } from '../../common/errors/index.js';

/** Longer ones say nothing more, and cost to judge. */
export const MAX_PASSWORD_LENGTH = 256;
/** The estimator's work grows with the square of the length; what is longer is judged by its beginning. */
const MAX_JUDGED = 72;

/** Which new passwords are taken: long enough and hard to guess, whatever characters they are made of. */
@Injectable()
export class PasswordPolicy {
  private estimator: Promise<ZxcvbnFactory> | undefined;

  constructor(private readonly config: PlinthConfig) {}

  /**
   * @param pointer of the password in the body
   * @param known what others know of the user, such as the e-mail address
   * @throws Problem `invalid-request` with what would be right
   */
  async check(password: string, pointer: string, known: readonly string[]): Promise<void> {
    const { passwordMinLength, passwordStrength } = this.config;
    const { length } = Array.from(password);
    if (length < passwordMinLength) {
      throw refusal(pointer, 'too-short', `must have at least ${passwordMinLength} characters`);
    }
    this.estimator ??= loadEstimator();
    const estimator = await this.estimator;
    const inputs = known.flatMap((text) => [
      text,
      text.split('@')[0] ?? '',
      ...text.split(/[^\p{L}\p{N}]+/u),
    ]);
    if (estimator.check(password.slice(0, MAX_JUDGED), inputs).score >= passwordStrength) return;
    throw refusal(
      pointer,
      'too-weak',
      'is too easy to guess; a few words that do not belong together are better',
    );
  }
}

/** Loaded with the first password: its word lists take time and memory. */
async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Estimator }, common] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return new Estimator({ dictionary: { ...common.dictionary }, graphs: common.adjacencyGraphs });
}

const refusal = (pointer: string, code: string, message: string): Problem =>
  new Problem('invalid-request', {
    detail: `${pointer.slice(1)} ${message}`,
    errors: [{ pointer, code, message }],
  });
