/** What the doctor found out about one thing. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'failed';
  readonly what: string;
  /** What to do about it. */
  readonly advice?: string;
}

export const ok = (what: string): Finding => ({ status: 'ok', what });
export const warning = (what: string, advice: string): Finding => ({ status: 'warning', what, advice });
export const failed = (what: string, advice: string): Finding => ({ status: 'failed', what, advice });
