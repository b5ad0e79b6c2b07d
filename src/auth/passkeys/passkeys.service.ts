import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type {
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { isUUID } from 'class-validator';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import type { UserDto } from '../users/user.dto.js';
import { PasskeyChallenges, type ChallengePurpose } from './passkey-challenges.service.js';
import { Passkey } from './passkey.entity.js';
import { userHandleBytes } from './passkey-verifier.service.js';
import { RelyingParty } from './relying-party.js';

/** Nobody has so many devices. */
const MAX_PASSKEYS = 20;

/** Passkeys as they are kept, and what browsers are asked for. */
@Injectable()
export class Passkeys {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly challenges: PasskeyChallenges,
    private readonly party: RelyingParty,
    private readonly config: PlinthConfig,
  ) {}

  /** @throws Problem `forbidden` where they are switched off */
  requireOn(): void {
    if (!this.config.hasPasskeys) {
      throw new Problem('forbidden', { detail: 'Passkeys are switched off at this server.' });
    }
  }

  /** Oldest first. */
  list(userId: string, manager: EntityManager = this.dataSource.manager): Promise<Passkey[]> {
    return manager.find(Passkey, { where: { userId }, order: { createdAt: 'ASC', id: 'ASC' } });
  }

  /**
   * What `navigator.credentials.create()` needs.
   * @param binding of the challenge
   */
  async creationOptions(user: UserDto, binding: string): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const known = await this.list(user.id);
    refuseTooMany(known.length);
    const name = user.email ?? user.username ?? user.id;
    const { generateRegistrationOptions } = await import('@simplewebauthn/server');
    return generateRegistrationOptions({
      rpID: this.party.id,
      rpName: this.party.name,
      userID: new Uint8Array(userHandleBytes(user.id)),
      userName: name,
      userDisplayName: name,
      challenge: asBytes(this.challenges.issue('register', binding)),
      attestationType: 'none',
      excludeCredentials: known.map(toDescriptor),
      // Keys that cannot do either are good as a second factor still.
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    });
  }

  /**
   * What `navigator.credentials.get()` needs.
   * @param userId whose passkeys are asked for; null asks for any that the device has for this server
   */
  async requestOptions(
    purpose: ChallengePurpose,
    binding: string,
    userId: string | null,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { generateAuthenticationOptions } = await import('@simplewebauthn/server');
    return generateAuthenticationOptions({
      rpID: this.party.id,
      challenge: asBytes(this.challenges.issue(purpose, binding)),
      userVerification: userId === null ? 'required' : 'preferred',
      allowCredentials: userId === null ? [] : (await this.list(userId)).map(toDescriptor),
    });
  }

  /**
   * Keeps a passkey that was verified.
   * @param manager of a transaction that holds the user's factors
   * @throws Problem `invalid-request` where there are too many, `unique-violation` where it is registered already
   */
  async add(
    passkey: Pick<
      Passkey,
      'userId' | 'credentialId' | 'publicKey' | 'counter' | 'transports' | 'isSynced' | 'name'
    >,
    manager: EntityManager,
  ): Promise<Passkey> {
    refuseTooMany(await manager.countBy(Passkey, { userId: passkey.userId }));
    const { raw } = await manager
      .createQueryBuilder()
      .insert()
      .into(Passkey)
      .values(passkey)
      .orIgnore()
      .returning(['id'])
      .execute();
    const [made] = raw as { readonly id: string }[];
    if (made === undefined) {
      throw new Problem('unique-violation', {
        detail: 'This passkey is registered already.',
        errors: [{ pointer: '/credential/id', code: 'unique', message: 'is taken' }],
      });
    }
    return manager.findOneByOrFail(Passkey, { id: made.id });
  }

  /** @throws Problem `not-found` */
  async rename(id: string, userId: string, name: string): Promise<Passkey> {
    const { manager } = this.dataSource;
    const found = await getPasskey(id, userId, manager);
    const { affected } = await manager.update(Passkey, { id, userId }, { name });
    if (affected === 0) throw notFound();
    return Object.assign(found, { name });
  }

  /**
   * @returns what it was
   * @throws Problem `not-found`
   */
  async remove(id: string, userId: string, manager: EntityManager): Promise<Passkey> {
    const found = await getPasskey(id, userId, manager);
    const { affected } = await manager.delete(Passkey, { id, userId });
    if (affected === 0) throw notFound();
    return found;
  }
}

async function getPasskey(id: string, userId: string, manager: EntityManager): Promise<Passkey> {
  const found = isUUID(id) ? await manager.findOneBy(Passkey, { id, userId }) : null;
  if (found === null) throw notFound();
  return found;
}

const toDescriptor = ({
  credentialId,
  transports,
}: Passkey): { id: string; transports: AuthenticatorTransport[] } => ({
  id: credentialId.toString('base64url'),
  // Hints, which browsers ignore where they do not know them.
  transports: [...transports] as AuthenticatorTransport[],
});

/** The library encodes a text once more. */
const asBytes = (challenge: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(challenge, 'base64url'));

function refuseTooMany(count: number): void {
  if (count < MAX_PASSKEYS) return;
  throw new Problem('conflict', {
    detail: `A user has at most ${MAX_PASSKEYS} passkeys; remove one first.`,
  });
}

const notFound = (): Problem => new Problem('not-found', { detail: 'There is no such passkey.' });
