/** What a client would like, after RFC 7240; unknown preferences are ignored, as it says. */
export interface Preferences {
  readonly return: 'minimal' | 'representation' | null;
}

const NONE: Preferences = { return: null };

export function parsePrefer(header: string | string[] | undefined): Preferences {
  if (header === undefined) return NONE;
  const text = Array.isArray(header) ? header.join(',') : header;
  // The first of repeated preferences counts.
  const match = /(?:^|[,;])\s*return\s*=\s*"?(minimal|representation)"?\s*(?=$|[,;])/i.exec(text);
  const value = match?.[1]?.toLowerCase();
  return { return: value === 'minimal' || value === 'representation' ? value : null };
}
