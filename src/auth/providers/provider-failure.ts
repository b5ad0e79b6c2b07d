/**
 * `denied`: the user does not want to. `unavailable`: the provider does not answer, or not in a way that says anything.
 * `refused`: what came is not what was asked for.
 */
export type FailureKind = 'denied' | 'unavailable' | 'refused';

/** A provider did not say who somebody is. The message is for operators. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';

  constructor(
    readonly kind: FailureKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
