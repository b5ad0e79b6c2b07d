import type { MailTexts } from './mail-text.js';

const IGNORE = 'Waren Sie das nicht, tun Sie nichts: Ohne diese Mail kommt niemand weiter.';

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
};
