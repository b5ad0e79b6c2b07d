import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule, SessionCredentials } from '../access/index.js';
import { SYSTEM_DATA_SOURCE } from '../common/database/index.js';
import { AccountController } from './account/account.controller.js';
import { AccountService } from './account/account.service.js';
import { ActAsController } from './act-as/act-as.controller.js';
import { ActAsService } from './act-as/act-as.service.js';
import { AnonymousController } from './anonymous/anonymous.controller.js';
import { AnonymousUsers } from './anonymous/anonymous.service.js';
import { FirstAdministrator } from './first-run/first-administrator.service.js';
import { SetUpPageController } from './first-run/set-up-page.controller.js';
import { SetUpController } from './first-run/set-up.controller.js';
import { PasskeyChallenges } from './passkeys/passkey-challenges.service.js';
import { PasskeyManagement } from './passkeys/passkey-management.service.js';
import { PasskeySignInController } from './passkeys/passkey-sign-in.controller.js';
import { PasskeySignIn } from './passkeys/passkey-sign-in.service.js';
import { PasskeyVerifier } from './passkeys/passkey-verifier.service.js';
import { Passkey } from './passkeys/passkey.entity.js';
import { PasskeysController } from './passkeys/passkeys.controller.js';
import { Passkeys } from './passkeys/passkeys.service.js';
import { RelyingParty } from './passkeys/relying-party.js';
import { MailModule } from '../mail/index.js';
import { AccountMail } from './mails/account-mail.job.js';
import { AccountMails } from './mails/account-mails.service.js';
import { EmailSignIn } from './mails/email-sign-in.service.js';
import { MailFlowsController } from './mails/mail-flows.controller.js';
import { MailPagesController } from './mails/mail-pages.controller.js';
import { Recovery } from './mails/recovery.service.js';
import { ReturnUrls } from './mails/return-urls.js';
import { SignInCodes } from './mails/sign-in-codes.service.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { PasswordPolicy } from './passwords/password-policy.js';
import { PasswordStrategy } from './passwords/password.strategy.js';
import { Passwords } from './passwords/passwords.service.js';
import { FlowCodes } from './providers/flow-codes.service.js';
import { IdentitiesController } from './providers/identities.controller.js';
import { Identities } from './providers/identities.service.js';
import { IdentityRoles } from './providers/identity-roles.js';
import { ProviderFlow } from './providers/provider-flow.service.js';
import { ProviderStrategy } from './providers/provider.strategy.js';
import { ProvidersController } from './providers/providers.controller.js';
import { Providers } from './providers/providers.service.js';
import { UserIdentity } from './providers/user-identity.entity.js';
import { IdentityRetention } from './retention.service.js';
import { OwnFactorsController } from './second-factor/own-factors.controller.js';
import { SecondFactorSignIn } from './second-factor/second-factor-sign-in.service.js';
import { SecondFactorController } from './second-factor/second-factor.controller.js';
import { SecondFactors } from './second-factor/second-factors.service.js';
import { IdentityWatch } from './sessions/identity-watch.js';
import { RefreshService } from './sessions/refresh.service.js';
import { SessionDirectory } from './sessions/session-directory.js';
import { SessionReader } from './sessions/session-reader.js';
import { Session } from './sessions/session.entity.js';
import { SessionsService } from './sessions/sessions.service.js';
import { SystemSessionsController } from './sessions/system-sessions.controller.js';
import { Authenticator } from './sign-in/authenticator.js';
import { OneTimeTokens } from './sign-in/one-time-tokens.service.js';
import { SignInAttempts } from './sign-in/sign-in-attempts.service.js';
import { SignInEvent } from './sign-in/sign-in-event.entity.js';
import { SignInEventsController } from './sign-in/sign-in-events.controller.js';
import { SignInEvents } from './sign-in/sign-in-events.service.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { SignInService } from './sign-in/sign-in.service.js';
import { SignUpService } from './sign-in/sign-up.service.js';
import { StepUpController } from './step-up/step-up.controller.js';
import { StepUp } from './step-up/step-up.service.js';
import { AccessTokens } from './tokens/access-tokens.service.js';
import { JwksController } from './tokens/jwks.controller.js';
import { SigningKey } from './tokens/signing-key.entity.js';
import { SigningKeys } from './tokens/signing-keys.service.js';
import { TotpManagement } from './totp/totp-management.service.js';
import { TotpController } from './totp/totp.controller.js';
import { Totp } from './totp/totp.service.js';
import { UserManagementService } from './users/user-management.service.js';
import { UserRole } from './users/user-role.entity.js';
import { User } from './users/user.entity.js';
import { UsersController } from './users/users.controller.js';
import { UsersService } from './users/users.service.js';

/** Who people are: users, sign-in, sessions, tokens. */
@Module({
  imports: [
    AccessModule,
    MailModule,
    TypeOrmModule.forFeature(
      [User, UserRole, UserIdentity, Session, SignInEvent, SigningKey, Passkey],
      SYSTEM_DATA_SOURCE,
    ),
  ],
  controllers: [
    SignInController,
    ProvidersController,
    IdentitiesController,
    AnonymousController,
    AccountController,
    MailFlowsController,
    MailPagesController,
    SetUpController,
    SetUpPageController,
    JwksController,
    UsersController,
    ActAsController,
    SystemSessionsController,
    SignInEventsController,
    PasskeySignInController,
    PasskeysController,
    OwnFactorsController,
    SecondFactorController,
    StepUpController,
    TotpController,
  ],
  providers: [
    AccessTokens,
    AccountMail,
    AccountMails,
    AccountService,
    ActAsService,
    AnonymousUsers,
    Authenticator,
    EmailSignIn,
    FirstAdministrator,
    FlowCodes,
    Identities,
    IdentityRetention,
    IdentityRoles,
    IdentityWatch,
    OneTimeTokens,
    PasskeyChallenges,
    PasskeyManagement,
    Passkeys,
    PasskeySignIn,
    PasskeyVerifier,
    PasswordHasher,
    PasswordPolicy,
    Passwords,
    PasswordStrategy,
    ProviderFlow,
    Providers,
    ProviderStrategy,
    Recovery,
    RefreshService,
    RelyingParty,
    ReturnUrls,
    SecondFactors,
    SecondFactorSignIn,
    SessionDirectory,
    SessionReader,
    SessionsService,
    SignInAttempts,
    SignInCodes,
    SignInEvents,
    SigningKeys,
    SignInService,
    SignUpService,
    StepUp,
    Totp,
    TotpManagement,
    UserManagementService,
    UsersService,
  ],
  exports: [FirstAdministrator, UserManagementService],
})
export class AuthModule implements OnModuleInit {
  constructor(
    private readonly credentials: SessionCredentials,
    private readonly reader: SessionReader,
  ) {}

  onModuleInit(): void {
    this.credentials.use(this.reader);
  }
}
