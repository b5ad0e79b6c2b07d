import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client';
import { ProviderFailure, type FailureKind } from './provider-failure.js';
import { UnreachableError } from './provider-fetch.js';

const MAX_CAUSES = 5;
const MAX_TEXT = 300;

/** Runs what speaks to a provider, and has every error as a failure. */
export async function judging<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProviderFailure) throw error;
    throw new ProviderFailure(kindOf(error), describe(error), { cause: error });
  }
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof AuthorizationResponseError) {
    if (error.error === 'access_denied') return 'denied';
    return error.error === 'temporarily_unavailable' || error.error === 'server_error'
      ? 'unavailable'
      : 'refused';
  }
  if (error instanceof ResponseBodyError) return error.status >= 500 ? 'unavailable' : 'refused';
  const causes = listCauses(error);
  const isUnreachable = causes.some(
    (cause) => cause instanceof UnreachableError || (cause instanceof Response && cause.status >= 500),
  );
  return isUnreachable ? 'unavailable' : 'refused';
}

function listCauses(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let cause = error; cause !== undefined && causes.length < MAX_CAUSES;) {
    causes.push(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

/** What errors say of themselves, and nothing that was sent. */
function describe(error: unknown): string {
  const parts = listCauses(error).flatMap((cause) => {
    if (cause instanceof Response) return [`status ${cause.status}`];
    if (!(cause instanceof Error)) return [];
    const code = cause instanceof ClientError ? cause.code : undefined;
    const of = cause instanceof AuthorizationResponseError || cause instanceof ResponseBodyError;
    return [`${cause.message}${of ? ` (${cause.error})` : code === undefined ? '' : ` (${code})`}`];
  });
  return parts.join(': ').slice(0, MAX_TEXT).toWellFormed();
}
