import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A file of the documentation's pages. */
export interface Asset {
  readonly type: string;
  readonly content: Buffer | string;
}

/**
 * Everything comes from this origin, and nothing is inline: a comment in the database or an answer of the API that
 * holds markup can do nothing. Swagger UI sets styles through the DOM, which `style-src` does not concern; its icons are
 * `data:` images.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Addresses are relative to `/docs`, so that the page works under any prefix that a proxy puts before it. */
export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Plinth API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="stylesheet" href="docs/page.css">
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <noscript>This page needs JavaScript. The document itself is at <a href="openapi.json">openapi.json</a>.</noscript>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const PAGE_STYLE = `body { margin: 0; background: #fafafa; }
html.dark-mode body { background: #1c2022; }
.swagger-ui .responses-inner { overflow-x: auto; }
`;

/**
 * Starts Swagger UI. The document depends on who asks for it, so it is asked for with the key that is authorized, and
 * again whenever that changes. The key lives as long as the browser's tab.
 */
const START_SCRIPT = `'use strict';
(() => {
  // Swagger UI has dark colours, and takes them for this class.
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const followColours = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', followColours);
  followColours();
  const STORED = 'plinth-docs-authorization';
  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(STORED)) || {};
    } catch {
      return {};
    }
  };
  const keep = (authorized) => {
    try {
      sessionStorage.setItem(STORED, JSON.stringify(authorized));
    } catch {
      // Without storage the key is gone when the page is loaded again, and all else works.
    }
  };
  const key = () => {
    const authorized = read();
    const found = authorized.bearer || authorized.apiKey;
    return found && typeof found.value === 'string' ? found.value : '';
  };
  const reload = (system) => system.specActions.download(system.specSelectors.url());
  const follow = {
    statePlugins: {
      auth: {
        wrapActions: {
          authorizeWithPersistOption: (original, system) => (authorized) => {
            original(authorized);
            keep({ ...read(), ...authorized });
            reload(system);
          },
          logoutWithPersistOption: (original, system) => (names) => {
            original(names);
            const authorized = read();
            for (const name of names) delete authorized[name];
            keep(authorized);
            reload(system);
          },
        },
      },
    },
  };
  const specUrl = new URL('openapi.json', location.href).href;
  const ui = SwaggerUIBundle({
    url: specUrl,
    dom_id: '#swagger-ui',
    plugins: [() => follow],
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: 'none',
    defaultModelsExpandDepth: 0,
    filter: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (request.loadSpec && key() !== '') request.headers['X-API-Key'] = key();
      return request;
    },
    responseInterceptor: (response) => {
      // Without a document there would be nothing to press to leave a key that is not, or no longer, valid.
      if (response.status === 401 && response.url === specUrl && key() !== '') {
        keep({});
        ui.authActions.logout(['bearer', 'apiKey']);
        ui.specActions.download(specUrl);
        alert('This key is not valid, or no longer.');
      }
      return response;
    },
    onComplete: () => {
      const authorized = read();
      if (Object.keys(authorized).length > 0) ui.authActions.authorize(authorized);
    },
  });
})();
`;

const DISTRIBUTION = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const fromDistribution = (name: string, type: string): [string, () => Asset] => [
  name,
  () => ({ type, content: readFileSync(path.join(DISTRIBUTION, name)) }),
];

/** The files that there are, by name: no other part of the file system can be named. */
const SOURCES = new Map<string, () => Asset>([
  fromDistribution('swagger-ui.css', 'text/css; charset=utf-8'),
  fromDistribution('swagger-ui-bundle.js', 'text/javascript; charset=utf-8'),
  fromDistribution('favicon-32x32.png', 'image/png'),
  ['page.css', () => ({ type: 'text/css; charset=utf-8', content: PAGE_STYLE })],
  ['start.js', () => ({ type: 'text/javascript; charset=utf-8', content: START_SCRIPT })],
]);

const loaded = new Map<string, Asset>();

/** A file of the pages, read once; null for any other name. */
export function findAsset(name: string): Asset | null {
  const known = loaded.get(name);
  if (known) return known;
  const asset = SOURCES.get(name)?.() ?? null;
  if (asset) loaded.set(name, asset);
  return asset;
}
