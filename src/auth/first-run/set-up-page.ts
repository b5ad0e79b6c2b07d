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
  const outcome = document.getElementById('outcome');
  const token = location.hash.slice(1);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = { token, email: form.email.value, password: form.password.value };
    try {
      const response = await fetch('set-up', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = await response.json();
      outcome.textContent = response.ok ? 'Done: ' + answer.email + ' can sign in.' : answer.detail || answer.title;
      if (response.ok) form.remove();
    } catch {
      outcome.textContent = 'The server did not answer; try again.';
    }
  });
})();
`;

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #fafafa; color: #222; }
main { max-width: 24rem; margin: 10vh auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0; }
input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; }
button { font: inherit; padding: .5rem 1rem; }
`;

export const SET_UP_ASSETS: ReadonlyMap<string, { readonly type: string; readonly content: string }> =
  new Map([
    ['page.js', { type: 'text/javascript; charset=utf-8', content: SCRIPT }],
    ['page.css', { type: 'text/css; charset=utf-8', content: STYLE }],
  ]);
