import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsIn, IsString, IsUUID, MaxLength, ValidateIf } from 'class-validator';
import type { DataSource, EntityManager } from 'typeorm';
import { PlinthConfig } from '../../common/config/index.js';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { JobDefinition } from '../../jobs/index.js';
import { Mails } from '../../mail/index.js';
import { OneTimeTokens, type TokenPurpose } from '../sign-in/one-time-tokens.service.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { MAX_RETURN_URL, ReturnUrls, type PageName } from './return-urls.js';
import { CODE_MINUTES, SignInCodes } from './sign-in-codes.service.js';

/** Changes of what somebody signs in with; the mails of these names tell of them. */
const FACTOR_CHANGES = [
  'app-added',
  'app-removed',
  'passkey-added',
  'passkey-removed',
  'recovery-codes-renewed',
  'identity-linked',
  'identity-unlinked',
  'second-factor-reset',
] as const;
type FactorChange = (typeof FACTOR_CHANGES)[number];

/** What a mail can be about. */
export const MAIL_OCCASIONS = [
  'signed-up',
  'sign-up-again',
  'verification-wanted',
  'password-forgotten',
  'password-changed',
  'code-wanted',
  'invited',
  'refresh-reused',
  'email-changed',
  ...FACTOR_CHANGES,
] as const;
export type MailOccasion = (typeof MAIL_OCCASIONS)[number];

const isFactorChange = (occasion: MailOccasion): occasion is FactorChange =>
  FACTOR_CHANGES.some((change) => change === occasion);

const isSet = (_payload: object, value: unknown): boolean => value !== null;

export class AccountMailPayload {
  @IsIn(MAIL_OCCASIONS)
  occasion: MailOccasion;

  /** Whom it is about, or null where the address says so. */
  @ValidateIf(isSet)
  @IsUUID()
  userId: string | null;

  /** As it was given; of `email-changed` the one before. */
  @ValidateIf(isSet)
  @IsString()
  @MaxLength(254)
  email: string | null;

  /** As `Accept-Language` has it. */
  @IsString()
  @MaxLength(200)
  languages: string;

  @ValidateIf(isSet)
  @IsString()
  @MaxLength(MAX_RETURN_URL)
  returnTo: string | null;

  /** The passkey's name or the provider's, where it is about one. */
  @ValidateIf(isSet)
  @IsString()
  about: string | null;
}

export const VERIFY_HOURS = 24;
export const RESET_HOURS = 1;
export const INVITATION_DAYS = 7;
/** How long a mail that tells of an account counts. */
const ACCOUNT_EXISTS_HOURS = 24;
/** Of one kind and user, which bounds what somebody else can have mailed to them. */
const MAX_OPEN_TOKENS = 5;

interface Letter {
  readonly user: User;
  readonly payload: AccountMailPayload;
  readonly manager: EntityManager;
}

/**
 * Finds out whether there is an account, and writes to its owner. It is a job so that the request that caused it does the
 * same whether there is one or not.
 */
@Injectable()
export class AccountMail extends JobDefinition<AccountMailPayload> {
  readonly name = 'auth.mail';
  readonly payload = AccountMailPayload;

  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokens,
    private readonly codes: SignInCodes,
    private readonly mails: Mails,
    private readonly links: ReturnUrls,
    private readonly config: PlinthConfig,
  ) {
    super();
  }

  override async run(payload: AccountMailPayload): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      if (payload.occasion === 'code-wanted') return this.sendCode(payload, manager);
      const user = await this.findUser(payload, manager);
      if (user !== null && user.status !== 'blocked') await this.write({ user, payload, manager });
    });
  }

  private async findUser(
    { userId, email, occasion }: AccountMailPayload,
    manager: EntityManager,
  ): Promise<User | null> {
    const isByAddress = userId === null && email !== null && occasion !== 'email-changed';
    const id = isByAddress ? await this.users.findIdByEmail(email, manager) : userId;
    return id === null ? null : manager.findOneBy(User, { id });
  }

  private async write(letter: Letter): Promise<void> {
    const { user, payload, manager } = letter;
    const { occasion, email } = payload;
    if (isFactorChange(occasion)) return this.tellChange(letter, occasion);
    // Who was invited has no password yet, and can only accept.
    if (user.status === 'invited' && occasion !== 'email-changed') return this.sendInvitation(letter);
    switch (occasion) {
      case 'signed-up':
      case 'verification-wanted': {
        if (user.emailVerifiedAt !== null) return;
        const { email: address } = user;
        const values = { hours: String(VERIFY_HOURS) };
        return this.sendLink(
          letter,
          'verify-email',
          'verify',
          'email-verification',
          VERIFY_HOURS * 3600,
          values,
          {
            email: address,
          },
        );
      }
      case 'password-forgotten': {
        const values = { hours: String(RESET_HOURS) };
        return this.sendLink(letter, 'reset-password', 'reset', 'password-reset', RESET_HOURS * 3600, values);
      }
      case 'sign-up-again': {
        if (await this.isEnough(letter, 'account-exists')) return;
        await this.tokens.issue('account-exists', ACCOUNT_EXISTS_HOURS * 3600, manager, { userId: user.id });
        return this.send(letter, 'account-exists', { link: this.links.forgotPage });
      }
      case 'password-changed':
        return this.send(letter, 'password-changed', { link: this.links.forgotPage });
      case 'refresh-reused':
        return this.send(letter, 'session-ended', { link: this.links.forgotPage });
      case 'email-changed':
        return this.send(letter, 'email-changed', { address: user.email ?? '' }, email);
      case 'invited':
      case 'code-wanted':
        return;
    }
  }

  /** Only an address that was shown to be theirs: at another one, somebody else would read how they sign in. */
  private async tellChange(letter: Letter, change: FactorChange): Promise<void> {
    const { user, payload } = letter;
    if (user.status !== 'active' || user.isAnonymous || user.emailVerifiedAt === null) return;
    const about = payload.about ?? '';
    await this.send(letter, change, { link: this.links.forgotPage, name: about, provider: about });
  }

  private sendInvitation(letter: Letter): Promise<void> {
    const values = { days: String(INVITATION_DAYS) };
    return this.sendLink(letter, 'invitation', 'invitation', 'invitation', INVITATION_DAYS * 86_400, values);
  }

  private async sendLink(
    letter: Letter,
    mail: 'verify-email' | 'reset-password' | 'invitation',
    page: PageName,
    purpose: TokenPurpose,
    seconds: number,
    values: Readonly<Record<string, string>>,
    data: object | null = null,
  ): Promise<void> {
    const { user, payload, manager } = letter;
    if (await this.isEnough(letter, purpose)) return;
    const token = await this.tokens.issue(purpose, seconds, manager, { userId: user.id, data });
    await this.send(letter, mail, { ...values, link: this.links.link(page, token, payload.returnTo) });
  }

  /** Whether a user has had as many mails of a kind as others may have sent to them for now. */
  private async isEnough({ user, manager }: Letter, purpose: TokenPurpose): Promise<boolean> {
    // So that of many mails at once each knows of those before.
    await manager.query('SELECT FROM plinth.users WHERE id = $1 FOR NO KEY UPDATE', [user.id]);
    return (await this.tokens.countOpen(purpose, user.id, manager)) >= MAX_OPEN_TOKENS;
  }

  private async send(
    { user, payload, manager }: Letter,
    mail: Parameters<Mails['send']>[0]['mail'],
    values: Readonly<Record<string, string>>,
    to: string | null = user.email,
  ): Promise<void> {
    if (to === null) return;
    const locale = this.mails.chooseLocale(user.profile['locale'], payload.languages);
    await this.mails.send({ mail, to, locale, values }, manager);
  }

  /** Where everybody may sign up, an address without an account gets a code too, and the account when it is used. */
  private async sendCode(payload: AccountMailPayload, manager: EntityManager): Promise<void> {
    const { email, languages, returnTo } = payload;
    if (email === null) return;
    const user = await this.findUser(payload, manager);
    if (user === null ? this.config.signUp !== 'open' : user.status !== 'active') return;
    const issued = await this.codes.issue(email, manager);
    if (issued === null) return;
    const locale = this.mails.chooseLocale(user?.profile['locale'], languages);
    const link = this.links.link('sign-in', issued.token, returnTo);
    const values = { code: issued.code, link, minutes: String(CODE_MINUTES) };
    await this.mails.send({ mail: 'sign-in-code', to: user?.email ?? email, locale, values }, manager);
  }
}
