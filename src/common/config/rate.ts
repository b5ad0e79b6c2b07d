const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 };

/** So many requests in so much time. */
export class Rate {
  constructor(
    readonly limit: number,
    readonly windowSeconds: number,
    private readonly text: string,
  ) {}

  /** As it was written. */
  toString(): string {
    return this.text;
  }
}

/** Reads `600/min`, `10/s`, `5000/h`, `1000/15min`; null for anything else. */
export function parseRate(text: string): Rate | null {
  const [, limitText = '', count = '1', unit = ''] =
    /^(\d{1,9})\/(?:([1-9]\d{0,3}))?(s|min|h|d)$/.exec(text) ?? [];
  const limit = Number(limitText);
  const windowSeconds = Number(count) * (UNIT_SECONDS[unit] ?? 0);
  return limit >= 1 && windowSeconds >= 1 && windowSeconds <= 31 * 86_400
    ? new Rate(limit, windowSeconds, text)
    : null;
}
