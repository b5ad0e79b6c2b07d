import type { MailText, MailTexts } from './mail-text.js';

const IGNORE = 'Waren Sie das nicht, tun Sie nichts: Ohne diese Mail kommt niemand weiter.';

/** Was der Besitzer des Kontos getan hat, oder wer dessen Sitzung hatte. */
const told = (subject: string, happened: string, undo: string): MailText => ({
  subject,
  before: [happened, 'Waren Sie das nicht, setzen Sie sofort ein neues Passwort. Das meldet alle Geräte ab.'],
  action: 'Neues Passwort setzen',
  after: [undo],
});

const REMOVE = 'Melden Sie sich dann an und entfernen Sie, was nicht Ihnen gehört.';
const ADD = 'Melden Sie sich dann an und fügen Sie es wieder hinzu.';

export const DE: MailTexts = {
  'verify-email': {
    subject: 'Bestätigen Sie Ihre E-Mail-Adresse für {{site}}',
    before: [
      'Jemand hat diese Adresse für ein Konto bei {{site}} angegeben. Bestätigen Sie, dass es Ihre ist:',
    ],
    action: 'Adresse bestätigen',
    after: ['Der Link gilt einmal, innerhalb von {{hours}} Stunden.', 'Waren Sie das nicht, tun Sie nichts.'],
  },
  'account-exists': {
    subject: 'Sie haben schon ein Konto bei {{site}}',
    before: [
      'Jemand wollte mit dieser Adresse ein Konto bei {{site}} anlegen, sie hat aber schon eines. Nichts wurde geändert.',
      'Waren Sie das, melden Sie sich an. Wenn Sie das Passwort nicht mehr wissen, setzen Sie ein neues:',
    ],
    action: 'Neues Passwort setzen',
    after: ['Waren Sie das nicht, tun Sie nichts.'],
  },
  'reset-password': {
    subject: 'Neues Passwort für {{site}}',
    before: ['Jemand hat für Ihr Konto bei {{site}} ein neues Passwort verlangt. Setzen Sie es hier:'],
    action: 'Neues Passwort setzen',
    after: [
      'Der Link gilt einmal, innerhalb von {{hours}} Stunden. Danach sind alle Ihre Geräte abgemeldet.',
      IGNORE,
    ],
  },
  'password-changed': {
    subject: 'Ihr Passwort bei {{site}} wurde geändert',
    before: [
      'Das Passwort Ihres Kontos bei {{site}} wurde geändert, und alle Geräte wurden abgemeldet.',
      'Waren Sie das nicht, setzen Sie sofort ein neues:',
    ],
    action: 'Neues Passwort setzen',
    after: [],
  },
  'sign-in-code': {
    subject: 'Ihr Code für {{site}}: {{code}}',
    before: ['Ihr Code zum Anmelden bei {{site}} ist {{code}}. Oder folgen Sie diesem Link:'],
    action: 'Anmelden',
    after: ['Beides gilt einmal, innerhalb von {{minutes}} Minuten. Geben Sie den Code niemandem.', IGNORE],
  },
  invitation: {
    subject: 'Ihre Einladung zu {{site}}',
    before: ['Sie sind zu {{site}} eingeladen. Wählen Sie ein Passwort, um zu beginnen:'],
    action: 'Einladung annehmen',
    after: ['Der Link gilt einmal, innerhalb von {{days}} Tagen.'],
  },
  'session-ended': {
    subject: 'Sie wurden bei {{site}} abgemeldet',
    before: [
      'Ein Token einer Ihrer Sitzungen bei {{site}} wurde zweimal benutzt. Vielleicht wurde es gestohlen, darum wurde die Sitzung beendet.',
      'Wenn Sie nicht wissen, warum, setzen Sie ein neues Passwort:',
    ],
    action: 'Neues Passwort setzen',
    after: [],
  },
  'email-changed': {
    subject: 'Ihre E-Mail-Adresse bei {{site}} wurde geändert',
    before: ['Ihr Konto bei {{site}} hat jetzt eine andere E-Mail-Adresse: {{address}}.'],
    after: ['Wenn Sie nicht wissen, warum, wenden Sie sich an die Betreiber von {{site}}.'],
  },
  'app-added': told(
    'Neue Authenticator-App bei {{site}}',
    'Ihr Konto bei {{site}} hat eine neue Authenticator-App, deren Codes beim Anmelden verlangt werden. Eine frühere gilt nicht mehr.',
    REMOVE,
  ),
  'app-removed': told(
    'Ihre Authenticator-App bei {{site}} wurde entfernt',
    'Die Authenticator-App Ihres Kontos bei {{site}} wurde entfernt.',
    ADD,
  ),
  'passkey-added': told(
    'Neuer Passkey bei {{site}}',
    'Ihr Konto bei {{site}} hat einen neuen Passkey, „{{name}}“, mit dem man sich anmelden kann.',
    REMOVE,
  ),
  'passkey-removed': told(
    'Ein Passkey bei {{site}} wurde entfernt',
    'Der Passkey „{{name}}“ Ihres Kontos bei {{site}} wurde entfernt.',
    ADD,
  ),
  'recovery-codes-renewed': told(
    'Neue Wiederherstellungscodes bei {{site}}',
    'Ihr Konto bei {{site}} hat neue Wiederherstellungscodes. Die früheren gelten nicht mehr.',
    'Melden Sie sich dann an und lassen Sie sich neue geben.',
  ),
  'identity-linked': told(
    'Anmeldung mit {{provider}} bei {{site}} hinzugefügt',
    'Bei Ihrem Konto bei {{site}} kann man sich jetzt mit {{provider}} anmelden.',
    REMOVE,
  ),
  'identity-unlinked': told(
    'Anmeldung mit {{provider}} bei {{site}} entfernt',
    'Bei Ihrem Konto bei {{site}} kann man sich nicht mehr mit {{provider}} anmelden.',
    ADD,
  ),
  'second-factor-reset': {
    subject: 'Ihr zweiter Faktor bei {{site}} wurde entfernt',
    before: [
      'Die Betreiber von {{site}} haben alle zweiten Faktoren Ihres Kontos entfernt: Authenticator-App, Passkeys und Wiederherstellungscodes. Das Anmelden hat nur einen Schritt, bis Sie einen hinzufügen.',
      'Haben Sie nicht darum gebeten, wenden Sie sich an sie und setzen Sie ein neues Passwort:',
    ],
    action: 'Neues Passwort setzen',
    after: [],
  },
};
