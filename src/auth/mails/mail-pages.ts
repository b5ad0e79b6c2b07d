import { SET_UP_ASSETS } from '../first-run/set-up-page.js';
import type { PageName } from './return-urls.js';

interface PageText {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly done: string;
}

type PageTexts = Readonly<Record<PageName | 'forgot', PageText>>;
type PageLocale = 'en' | 'de';

const TEXTS: Readonly<Record<PageLocale, PageTexts>> = {
  en: {
    verify: {
      title: 'Confirm your e-mail address',
      text: 'One click, and the address is confirmed.',
      button: 'Confirm the address',
      done: 'Done: the address is confirmed.',
    },
    reset: {
      title: 'Set a new password',
      text: 'All your devices are signed out then.',
      button: 'Set the password',
      done: 'Done: sign in with the new password.',
    },
    forgot: {
      title: 'Set a new password',
      text: 'We mail you a link to set it with.',
      button: 'Send the mail',
      done: 'If there is an account with this address, the mail is on its way.',
    },
    'sign-in': {
      title: 'Sign in',
      text: 'You are signed in with this browser.',
      button: 'Sign in',
      done: 'Done: you are signed in.',
    },
    invitation: {
      title: 'Accept the invitation',
      text: 'Choose a password to begin.',
      button: 'Accept',
      done: 'Done: sign in with your address and the password.',
    },
  },
  de: {
    verify: {
      title: 'E-Mail-Adresse bestätigen',
      text: 'Ein Klick, und die Adresse ist bestätigt.',
      button: 'Adresse bestätigen',
      done: 'Fertig: Die Adresse ist bestätigt.',
    },
    reset: {
      title: 'Neues Passwort setzen',
      text: 'Danach sind alle Ihre Geräte abgemeldet.',
      button: 'Passwort setzen',
      done: 'Fertig: Melden Sie sich mit dem neuen Passwort an.',
    },
    forgot: {
      title: 'Neues Passwort setzen',
      text: 'Wir schicken Ihnen einen Link dafür.',
      button: 'Mail schicken',
      done: 'Wenn es ein Konto mit dieser Adresse gibt, ist die Mail unterwegs.',
    },
    'sign-in': {
      title: 'Anmelden',
      text: 'Sie werden in diesem Browser angemeldet.',
      button: 'Anmelden',
      done: 'Fertig: Sie sind angemeldet.',
    },
    invitation: {
      title: 'Einladung annehmen',
      text: 'Wählen Sie ein Passwort, um zu beginnen.',
      button: 'Annehmen',
      done: 'Fertig: Melden Sie sich mit Ihrer Adresse und dem Passwort an.',
    },
  },
};

const LABELS: Readonly<
  Record<
    PageLocale,
    { readonly password: string; readonly email: string; readonly step: string; readonly silent: string }
  >
> = {
  en: {
    password: 'Password',
    email: 'E-mail address',
    step: 'A second factor is needed: sign in with the application.',
    silent: 'The server did not answer; try again.',
  },
  de: {
    password: 'Passwort',
    email: 'E-Mail-Adresse',
    step: 'Ein zweiter Faktor ist nötig: Melden Sie sich mit der Anwendung an.',
    silent: 'Der Server hat nicht geantwortet; versuchen Sie es noch einmal.',
  },
};

/** What a page sends the token to. */
const TARGETS: Readonly<Record<PageName | 'forgot', string>> = {
  verify: 'email/verify',
  reset: 'password/reset',
  forgot: 'password/forgot',
  'sign-in': 'code/verify',
  invitation: 'invitation/accept',
};

/** A form that sends on a click, and not by itself: programs that look at mails open their links. */
function renderForm(kind: PageName | 'forgot', locale: PageLocale): string {
  const { title, text, button, done } = TEXTS[locale][kind];
  const { password, email, step, silent } = LABELS[locale];
  const field =
    kind === 'forgot'
      ? `<label>${email} <input name="email" type="email" autocomplete="username" required></label>`
      : kind === 'reset' || kind === 'invitation'
        ? `<label>${password} <input name="password" type="password" autocomplete="new-password" required></label>`
        : '';
  return `<form data-kind="${kind}" data-target="../${TARGETS[kind]}" data-done="${done}" data-step="${step}" data-silent="${silent}" hidden>
        <h1>${title}</h1>
        <p>${text}</p>
        ${field}
        <button>${button}</button>
      </form>`;
}

export const renderPage = (page: PageName, locale: PageLocale): string => `<!doctype html>
<html lang="${locale}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${TEXTS[locale][page].title}</title>
    <link rel="stylesheet" href="page.css">
  </head>
  <body>
    <main>
      ${renderForm(page, locale)}
      ${page === 'reset' ? renderForm('forgot', locale) : ''}
      <p id="outcome" role="status"></p>
      <noscript>This page needs JavaScript.</noscript>
    </main>
    <script src="page.js"></script>
  </body>
</html>
`;

/** The token is behind `#`, which browsers send to nobody, and goes from the address bar at once. */
const SCRIPT = `'use strict';
(() => {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  history.replaceState(null, '', location.pathname);
  // A link that is opened where the page is open already does not load it again.
  addEventListener('hashchange', () => location.reload());
  const forms = [...document.forms];
  const form = (token === null && forms.find((one) => one.dataset.kind === 'forgot')) || forms[0];
  const outcome = document.getElementById('outcome');
  const button = form.querySelector('button');
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const { kind, target, done, step, silent } = form.dataset;
    const body = kind === 'forgot' ? {} : { token: token || '' };
    for (const input of form.querySelectorAll('input')) body[input.name] = input.value;
    if (kind === 'sign-in') body.session = 'cookie';
    button.disabled = true;
    outcome.textContent = '';
    try {
      const response = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (response.ok) {
        const text = await response.text();
        const answer = text === '' ? {} : JSON.parse(text);
        outcome.textContent = answer.step ? step : done;
        outcome.className = answer.step ? '' : 'done';
        form.remove();
      } else {
        const problem = await response.json();
        outcome.textContent = problem.detail || problem.title;
      }
    } catch {
      outcome.textContent = silent;
    } finally {
      button.disabled = false;
    }
  });
})();
`;

export const PAGE_ASSETS: ReadonlyMap<string, { readonly type: string; readonly content: string }> = new Map([
  ...[...SET_UP_ASSETS].filter(([name]) => name === 'page.css'),
  ['page.js', { type: 'text/javascript; charset=utf-8', content: SCRIPT }],
]);
