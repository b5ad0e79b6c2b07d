import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import type { DataSource } from 'typeorm';
import type { Actor } from '../../common/context/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { userOf } from '../account/account.service.js';
import type { Client } from '../client.js';
import { AccountMails } from '../mails/account-mails.service.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import { describeDevice } from '../sessions/describe-device.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { SignInEvents } from '../sign-in/sign-in-events.service.js';
import { holdUser } from '../users/hold-user.js';
import { UsersService } from '../users/users.service.js';
import { PasskeyVerifier } from './passkey-verifier.service.js';
import { toPasskeyDto, type RegisteredPasskeyDto, type RegisterPasskeyDto } from './passkey.dto.js';
import type { Passkey } from './passkey.entity.js';
import { Passkeys } from './passkeys.service.js';

/** What users do with their own passkeys. */
@Injectable()
export class PasskeyManagement {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly passkeys: Passkeys,
    private readonly verifier: PasskeyVerifier,
    private readonly factors: SecondFactors,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly events: SignInEvents,
    private readonly mails: AccountMails,
  ) {}

  list(actor: Actor): Promise<Passkey[]> {
    return this.passkeys.list(userOf(actor));
  }

  /** @throws Problem `forbidden` where passkeys are switched off, `conflict` where there are too many */
  async options(actor: Actor): Promise<PublicKeyCredentialCreationOptionsJSON> {
    this.passkeys.requireOn();
    const user = await this.users.get(userOf(actor));
    return this.passkeys.creationOptions(user, bindingOf(actor));
  }

  /**
   * Keeps a new passkey, and gives recovery codes where the user has none.
   * @throws Problem `invalid-request` where it was not made for this session, `unique-violation`, `conflict`, `forbidden`
   */
  async register(
    actor: Actor,
    { credential, name }: RegisterPasskeyDto,
    client: Client,
  ): Promise<RegisteredPasskeyDto> {
    this.passkeys.requireOn();
    const userId = userOf(actor);
    const registered = await this.dataSource.transaction(async (manager) => {
      await holdUser(userId, manager);
      const info = await this.verifier.verifyRegistration(credential, bindingOf(actor), manager);
      if (info === null || info === undefined) throw notMadeForThis();
      const passkey = await this.passkeys.add(
        {
          userId,
          credentialId: Buffer.from(info.credential.id, 'base64url'),
          publicKey: Buffer.from(info.credential.publicKey),
          counter: String(info.credential.counter),
          transports: info.credential.transports ?? [],
          isSynced: info.credentialDeviceType === 'multiDevice',
          name: name ?? describeDevice(client.userAgent),
        },
        manager,
      );
      await this.events.record('passkey.added', client, { userId }, manager);
      await this.mails.write('passkey-added', { userId, about: passkey.name }, manager);
      return { passkey, recoveryCodes: await this.factors.giveCodes(userId, manager) };
    });
    await this.sessions.noteFactorAdded(actor, [registered.passkey.isSynced ? 'swk' : 'hwk']);
    return { passkey: toPasskeyDto(registered.passkey), recoveryCodes: registered.recoveryCodes };
  }

  /** @throws Problem `not-found` */
  rename(actor: Actor, id: string, name: string): Promise<Passkey> {
    return this.passkeys.rename(id, userOf(actor), name);
  }

  /** @throws Problem `not-found` */
  async remove(actor: Actor, id: string, client: Client): Promise<void> {
    const userId = userOf(actor);
    await this.dataSource.transaction(async (manager) => {
      await holdUser(userId, manager);
      const { name } = await this.passkeys.remove(id, userId, manager);
      await this.factors.dropCodesOfNone(userId, manager);
      await this.events.record('passkey.removed', client, { userId }, manager);
      await this.mails.write('passkey-removed', { userId, about: name }, manager);
    });
    this.sessions.noteEnded(userId);
  }
}

/** A challenge is for one user in one session. */
const bindingOf = (actor: Actor): string => `${userOf(actor)} ${actor.session?.id ?? ''}`;

const notMadeForThis = (): Problem =>
  new Problem('invalid-request', {
    detail:
      'The credential was not made for this server and this session, or its challenge is used or too old.',
    errors: [{ pointer: '/credential', code: 'refused', message: 'was not made for this' }],
  });
