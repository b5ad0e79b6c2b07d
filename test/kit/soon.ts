/**
 * The patience for what must hold within a second: a test asks whether it comes to hold, on whatever machine it runs.
 * How long that takes is a figure of `npm run bench:scale`.
 */
export const SOON = { timeout: 20_000, interval: 10 } as const;
