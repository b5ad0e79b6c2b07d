import { Injectable } from '@nestjs/common';
import type {
  AuthenticationResponseJSON,
  VerifiedAuthenticationResponse,
  VerifiedRegistrationResponse,
} from '@simplewebauthn/server';
import type { EntityManager } from 'typeorm';
import type { Client } from '../client.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { PasskeyChallenges, type ChallengePurpose } from './passkey-challenges.service.js';
import { Passkey } from './passkey.entity.js';
import { readAssertion, readClientData, readRegistration, type CredentialJson } from './read-credential.js';
import { RelyingParty } from './relying-party.js';

/** What an assertion has to be for. */
export interface ExpectedAssertion {
  readonly purpose: ChallengePurpose;
  /** Any of these will do. */
  readonly bindings: readonly string[];
  /** Whether the authenticator must have made sure that it is its owner, by a PIN or a finger. */
  readonly requiresUserVerification: boolean;
}

/** What a right assertion shows. */
export interface PasskeyProof {
  readonly userId: string;
  /** As RFC 8176 names it. */
  readonly amr: readonly string[];
}

/** Signatures that have been counted up to here, at least. */
const USE = `
  UPDATE plinth.passkeys SET counter = $2, last_used_at = now()
  WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0)) RETURNING 1`;

/** Verifies what authenticators sign: new passkeys, and assertions of those that are known. */
@Injectable()
export class PasskeyVerifier {
  constructor(
    private readonly challenges: PasskeyChallenges,
    private readonly party: RelyingParty,
    private readonly events: SignInEvents,
  ) {}

  /**
   * A new credential, or null where it was not made for this. The challenge is used up with `manager`'s transaction.
   * @throws Problem `invalid-request`
   */
  async verifyRegistration(
    json: CredentialJson,
    binding: string,
    manager: EntityManager,
  ): Promise<VerifiedRegistrationResponse['registrationInfo'] | null> {
    const response = readRegistration(json);
    const data = readClientData(response.response.clientDataJSON);
    if (data === null || !this.isAsked(data, { purpose: 'register', bindings: [binding] })) return null;
    const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
    try {
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response,
        expectedChallenge: data.challenge,
        expectedOrigin: data.origin,
        expectedRPID: this.party.id,
        requireUserVerification: false,
      });
      if (!verified || registrationInfo === undefined) return null;
      return (await this.challenges.use(data.challenge, manager)) ? registrationInfo : null;
    } catch (error) {
      return refuseOr(error);
    }
  }

  /** The passkey that an assertion names, whether or not it is right. */
  async findNamed(json: CredentialJson, manager: EntityManager): Promise<Passkey | null> {
    return manager.findOneBy(Passkey, { credentialId: Buffer.from(readAssertion(json).id, 'base64url') });
  }

  /**
   * What an assertion of a passkey proves, or null where it is not right. Passkey and challenge are used with `manager`'s
   * transaction.
   * @throws Problem `invalid-request`
   */
  async verify(
    json: CredentialJson,
    passkey: Passkey,
    expected: ExpectedAssertion,
    client: Client,
    manager: EntityManager,
  ): Promise<PasskeyProof | null> {
    const response = readAssertion(json);
    const data = readClientData(response.response.clientDataJSON);
    if (data === null || !this.isAsked(data, expected)) return null;
    const { userHandle } = response.response;
    if (userHandle !== undefined && userHandle !== userHandleOf(passkey.userId)) return null;
    const info = await this.check(response, data, passkey, expected.requiresUserVerification);
    if (info === null) return null;
    if (!(await this.challenges.use(data.challenge, manager))) return null;
    const [used] = await manager.query<[unknown[], number]>(USE, [passkey.id, info.newCounter]);
    if (used.length === 0) {
      // Two have the key, and this one has signed less with it.
      await this.events.record('passkey.suspected', client, { userId: passkey.userId }, manager);
      return null;
    }
    return {
      userId: passkey.userId,
      amr: [passkey.isSynced ? 'swk' : 'hwk', 'user', ...(info.userVerified ? ['mfa'] : [])],
    };
  }

  private isAsked(
    { challenge, origin }: { readonly challenge: string; readonly origin: string },
    { purpose, bindings }: Pick<ExpectedAssertion, 'purpose' | 'bindings'>,
  ): boolean {
    return (
      this.party.isOrigin(origin) &&
      bindings.some((binding) => this.challenges.isGood(challenge, purpose, binding))
    );
  }

  /** The counter is looked at by whoever calls, so that one that goes back is told from other mistakes. */
  private async check(
    response: AuthenticationResponseJSON,
    data: { readonly challenge: string; readonly origin: string },
    { credentialId, publicKey }: Passkey,
    requireUserVerification: boolean,
  ): Promise<VerifiedAuthenticationResponse['authenticationInfo'] | null> {
    const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response,
        expectedChallenge: data.challenge,
        expectedOrigin: data.origin,
        expectedRPID: this.party.id,
        credential: {
          id: credentialId.toString('base64url'),
          publicKey: new Uint8Array(publicKey),
          counter: 0,
        },
        requireUserVerification,
      });
      return verified ? authenticationInfo : null;
    } catch (error) {
      return refuseOr(error);
    }
  }
}

/** What authenticators call a user: the bytes of the id, which say nothing of the person. */
export const userHandleBytes = (userId: string): Buffer => Buffer.from(userId.replaceAll('-', ''), 'hex');

const userHandleOf = (userId: string): string => userHandleBytes(userId).toString('base64url');

/**
 * The library throws for whatever is wrong with an answer, and has no error of its own for it; what the database says of
 * the statements in between must not be taken for that.
 */
function refuseOr(error: unknown): null {
  if (error instanceof Error && !('driverError' in error)) return null;
  throw error;
}
