/**
 * The address that somebody wants to be led back to, as it was understood; null where it is none of those allowed. All are
 * compared as addresses, so that `https://app.example.com.evil.example` or `https://app.example.com@evil.example` is
 * nothing like `https://app.example.com`.
 * @param allowed as `PLINTH_RETURN_URLS` lists them: a path stands for itself and all below it
 */
export function findReturnUrl(text: string, allowed: readonly string[]): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return null;
  return allowed.some((entry) => isBelow(url, new URL(entry))) ? url : null;
}

function isBelow(url: URL, entry: URL): boolean {
  if (url.protocol !== entry.protocol || url.host !== entry.host) return false;
  if (url.pathname === entry.pathname) return true;
  // Of a native app's own scheme, paths are not resolved as those of the web are.
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return false;
  const folder = entry.pathname.endsWith('/') ? entry.pathname : `${entry.pathname}/`;
  return url.pathname.startsWith(folder);
}
