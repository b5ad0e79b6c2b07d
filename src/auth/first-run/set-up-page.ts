/** Everything comes from this origin, and nothing is inline. */
export const SET_UP_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const SET_UP_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Set up Plinth</title>
    <link rel="stylesheet" href="set-up/page.css">
  </head>
  <body>
    <main>
      <h1>Set up Plinth</h1>
      <p>Make the first administrator. This works once.</p>
      <form id="form">
        <label>E-mail address <input name="email" type="email" autocomplete="username" required></label>
        <label>Password <input name="password" type="password" autocomplete="new-password" required></label>
        <button>Make the administrator</button>
      </form>
      <p id="outcome" role="status"></p>
      <noscript>This page needs JavaScript. Or run: plinth users create --email you@example.org --role admin</noscript>
    </main>
    <script src="set-up/page.js"></script>
  </body>
</html>
`;

/** The token is behind `#`, which browsers send to nobody. */
const SCRIPT = `'use strict';
(() => {
  const form = document.getElementById('form');
  const button = form.querySelector('button');
  const outcome = document.getElementById('outcome');
  const token = location.hash.slice(1);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = { token, email: form.email.value, password: form.password.value };
    button.disabled = true;
    outcome.textContent = '';
    try {
      const response = await fetch('set-up', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = await response.json();
      outcome.textContent = response.ok ? 'Done: ' + answer.email + ' can sign in.' : answer.detail || answer.title;
      outcome.className = response.ok ? 'done' : '';
      if (response.ok) form.remove();
    } catch {
      outcome.textContent = 'The server did not answer; try again.';
    } finally {
      button.disabled = false;
    }
  });
})();
`;

const STYLE = `:root {
  color-scheme: light dark;
  --page: #f3f4f6; --card: #fff; --text: #1c2024; --quiet: #5b6470; --line: #868e99;
  --accent: #2456c9; --on-accent: #fff; --good: #12703f; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1e2226; --text: #eceef0; --quiet: #a6aeb7; --line: #7a828c;
    --accent: #8ab0ff; --on-accent: #10203f; --good: #6fd49b; --bad: #ff9a92;
  }
}
* { box-sizing: border-box; }
body {
  font: 16px/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; min-height: 100vh; min-height: 100dvh;
  display: grid; align-content: center; justify-items: center; background: var(--page); color: var(--text);
}
main {
  width: 100%; max-width: 26rem; padding: 2rem; border-radius: .75rem; background: var(--card);
  box-shadow: 0 1px 3px rgb(0 0 0 / .2); overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
p { margin: 0; color: var(--quiet); }
label { display: block; margin-top: 1.25rem; font-weight: 600; }
input, button { display: block; width: 100%; font: inherit; padding: .625rem .75rem; border-radius: .375rem; }
input { font-weight: 400; margin-top: .375rem; border: 1px solid var(--line); background: var(--card); color: var(--text); }
button {
  margin-top: 1.5rem; border: 0; background: var(--accent); color: var(--on-accent); font-weight: 600; cursor: pointer;
}
button:disabled { opacity: .6; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=status] { color: var(--bad); }
:is(form:not([hidden]), p) ~ [role=status]:not(:empty) { margin-top: 1rem; }
[role=status]::first-letter { text-transform: uppercase; }
[role=status].done { color: var(--good); }
`;

export const SET_UP_ASSETS: ReadonlyMap<string, { readonly type: string; readonly content: string }> =
  new Map([
    ['page.js', { type: 'text/javascript; charset=utf-8', content: SCRIPT }],
    ['page.css', { type: 'text/css; charset=utf-8', content: STYLE }],
  ]);
