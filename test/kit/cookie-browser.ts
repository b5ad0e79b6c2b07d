/** Follows redirects and keeps cookies, by origin, as far as a browser does without scripts. */
export class CookieBrowser {
  private readonly jars = new Map<string, Map<string, string>>();

  async open(url: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: this.cookiesOf(origin) },
      body: form ? new URLSearchParams(form) : undefined,
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** As a `Cookie` header has them. */
  cookiesOf(origin: string): string {
    return [...(this.jars.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

/** Where a redirect leads. */
export const locationOf = (response: Response, base: string): string =>
  new URL(response.headers.get('location') ?? 'about:blank', base).href;
