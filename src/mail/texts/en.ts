import type { MailText, MailTexts } from './mail-text.js';

const IGNORE = 'If that was not you, do nothing: without this mail, nobody can go on.';

/** What the owner of the account has done, or somebody who had their session. */
const told = (subject: string, happened: string, undo: string): MailText => ({
  subject: `${subject} at {{site}}`,
  before: [happened, 'If that was not you, set a new password at once. It signs out all devices.'],
  action: 'Set a new password',
  after: [undo],
});

const REMOVE = 'Then sign in, and remove what is not yours.';
const ADD = 'Then sign in, and add it again.';

export const EN: MailTexts = {
  'verify-email': {
    subject: 'Confirm your e-mail address for {{site}}',
    before: ['Somebody has given this address for an account at {{site}}. Confirm that it is yours:'],
    action: 'Confirm the address',
    after: ['The link works once, within {{hours}} hours.', 'If that was not you, do nothing.'],
  },
  'account-exists': {
    subject: 'You already have an account at {{site}}',
    before: [
      'Somebody wanted to make an account at {{site}} with this address, but it has one already. Nothing was changed.',
      'If that was you, sign in. If you do not know the password any more, set a new one:',
    ],
    action: 'Set a new password',
    after: ['If that was not you, do nothing.'],
  },
  'reset-password': {
    subject: 'Set a new password for {{site}}',
    before: ['Somebody has asked for a new password of your account at {{site}}. Set it here:'],
    action: 'Set a new password',
    after: ['The link works once, within {{hours}} hours. All your devices are signed out then.', IGNORE],
  },
  'password-changed': {
    subject: 'Your password at {{site}} was changed',
    before: [
      'The password of your account at {{site}} was changed, and all devices were signed out.',
      'If that was not you, set a new one at once:',
    ],
    action: 'Set a new password',
    after: [],
  },
  'sign-in-code': {
    subject: 'Your code for {{site}}: {{code}}',
    before: ['Your code to sign in at {{site}} is {{code}}. Or use this link:'],
    action: 'Sign in',
    after: ['Both work once, within {{minutes}} minutes. Give the code to nobody.', IGNORE],
  },
  invitation: {
    subject: 'Your invitation to {{site}}',
    before: ['You are invited to {{site}}. Choose a password to begin:'],
    action: 'Accept the invitation',
    after: ['The link works once, within {{days}} days.'],
  },
  'session-ended': {
    subject: 'You were signed out at {{site}}',
    before: [
      'A token of one of your sessions at {{site}} was used twice. Somebody may have stolen it, so the session was ended.',
      'If you do not know why, set a new password:',
    ],
    action: 'Set a new password',
    after: [],
  },
  'email-changed': {
    subject: 'Your e-mail address at {{site}} was changed',
    before: ['Your account at {{site}} has another e-mail address now: {{address}}.'],
    after: ['If you do not know why, tell those who run {{site}}.'],
  },
  'app-added': told(
    'An authenticator app was added',
    'Your account at {{site}} has a new authenticator app, whose codes are asked for at a sign-in. One that it had before is good no more.',
    REMOVE,
  ),
  'app-removed': told(
    'Your authenticator app was removed',
    'The authenticator app of your account at {{site}} was removed.',
    ADD,
  ),
  'passkey-added': told(
    'A passkey was added',
    'Your account at {{site}} has a new passkey, "{{name}}", which signs in to it.',
    REMOVE,
  ),
  'passkey-removed': told(
    'A passkey was removed',
    'The passkey "{{name}}" of your account at {{site}} was removed.',
    ADD,
  ),
  'recovery-codes-renewed': told(
    'You have new recovery codes',
    'Your account at {{site}} has new recovery codes. Those of before are good no more.',
    'Then sign in, and get new ones.',
  ),
  'identity-linked': told(
    'Sign-in with {{provider}} was added',
    'Your account at {{site}} can be signed in to with {{provider}} now.',
    REMOVE,
  ),
  'identity-unlinked': told(
    'Sign-in with {{provider}} was removed',
    'Your account at {{site}} can be signed in to with {{provider}} no more.',
    ADD,
  ),
  'second-factor-reset': {
    subject: 'Your second factor at {{site}} was taken away',
    before: [
      'Those who run {{site}} have taken all second factors from your account: authenticator app, passkeys and recovery codes. A sign-in takes one step until you add one.',
      'If you did not ask for that, tell them, and set a new password:',
    ],
    action: 'Set a new password',
    after: [],
  },
};
