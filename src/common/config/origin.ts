const ORIGIN = /^(https?):\/\/(\*\.)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;

/**
 * Whether a text is an origin as browsers send it, one with `*.` for the sub-domains of a domain, or `*` for all. `null`
 * is none: any page can have that origin.
 */
export function isOrigin(text: string): boolean {
  if (text === '*') return true;
  const [, scheme, wildcard, host = ''] = ORIGIN.exec(text) ?? [];
  if (scheme === undefined) return false;
  // `https://*.com` would be everybody.
  if (wildcard !== undefined) {
    return host.includes('.') && !host.startsWith('[') && URL.canParse(text.replace('*.', ''));
  }
  // A default port is not sent, so an origin with one would match nothing.
  return URL.canParse(text) && new URL(text).origin === text;
}
