import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

export const SIGN_IN_EVENT_KINDS = [
  'signed-up',
  'sign-up.refused',
  'signed-in',
  'sign-in.refused',
  'signed-out',
  'session.ended',
  'refresh.reused',
  'second-factor.asked',
  'second-factor.refused',
  'second-factor.reset',
  'stepped-up',
  'step-up.refused',
  'totp.added',
  'totp.removed',
  'passkey.added',
  'passkey.removed',
  'passkey.suspected',
  'recovery-codes.renewed',
  'recovery-code.used',
  'password.changed',
  'password.refused',
  'password.forgotten',
  'password.reset',
  'code.requested',
  'code.refused',
  'email.verified',
  'user.invited',
  'invitation.accepted',
  'user.created',
  'user.blocked',
  'user.unblocked',
  'user.deleted',
  'administrator.made',
  'identity.linked',
  'identity.unlinked',
  'account.reclaimed',
  'user.upgraded',
  'acted-as',
] as const;
export type SignInEventKind = (typeof SIGN_IN_EVENT_KINDS)[number];

/** What happened around a sign-in, for those who look into it later. */
@Entity({ schema: 'plinth', name: 'sign_in_events' })
export class SignInEvent {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  position: string;

  @Column({ type: 'timestamptz', insert: false, update: false })
  at: Date;

  @Column('text')
  kind: SignInEventKind;

  /** Whom it is about; null where no account has the address. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId: string | null;

  @Column('uuid', { name: 'session_id', nullable: true })
  sessionId: string | null;

  /** As it was given, where that is how the account was named. */
  @Column('text', { nullable: true })
  email: string | null;

  @Column('text')
  address: string;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent: string | null;

  @Column('text', { name: 'request_id' })
  requestId: string;

  /** Who did it, as `actorKey` writes it. */
  @Column('text')
  actor: string;
}
