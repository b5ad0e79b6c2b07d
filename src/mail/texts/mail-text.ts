/** The mails that there are. */
export const MAIL_NAMES = [
  'verify-email',
  'account-exists',
  'reset-password',
  'password-changed',
  'sign-in-code',
  'invitation',
  'session-ended',
  'email-changed',
  'app-added',
  'app-removed',
  'passkey-added',
  'passkey-removed',
  'recovery-codes-renewed',
  'identity-linked',
  'identity-unlinked',
  'second-factor-reset',
] as const;
export type MailName = (typeof MAIL_NAMES)[number];

/** What each mail can say, as `{{name}}` in its texts. Every mail has `site` and `email`. */
export const MAIL_VALUES: Readonly<Record<MailName, readonly string[]>> = {
  'verify-email': ['link', 'hours'],
  'account-exists': ['link'],
  'reset-password': ['link', 'hours'],
  'password-changed': ['link'],
  'sign-in-code': ['link', 'code', 'minutes'],
  invitation: ['link', 'days'],
  'session-ended': ['link'],
  'email-changed': ['address'],
  'app-added': ['link'],
  'app-removed': ['link'],
  'passkey-added': ['link', 'name'],
  'passkey-removed': ['link', 'name'],
  'recovery-codes-renewed': ['link'],
  'identity-linked': ['link', 'provider'],
  'identity-unlinked': ['link', 'provider'],
  'second-factor-reset': ['link'],
};

export const COMMON_VALUES: readonly string[] = ['site', 'email'];

/** A mail in one language: paragraphs, and a link between them that is a button in HTML. */
export interface MailText {
  readonly subject: string;
  readonly before: readonly string[];
  /** What the button says; there is none without it. */
  readonly action?: string;
  readonly after: readonly string[];
}

export type MailTexts = Readonly<Record<MailName, MailText>>;
