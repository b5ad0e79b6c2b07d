import { constants } from 'node:os';

/** What asks a process to end: Ctrl-C, a supervisor, a terminal that was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ends through `exit`, and not by the signal itself, so that a PostgreSQL that was just started ends with the process. */
function exitNow(signal: NodeJS.Signals): void {
  process.exit(128 + constants.signals[signal]);
}

/** For commands, and for a server until it listens: a signal ends the process, with the exit code that shells give. */
export function exitOnSignals(): void {
  for (const signal of SIGNALS) process.on(signal, exitNow);
}

/**
 * Gives the signals to somebody who ends the process in good order.
 *
 * @param isHangUpOurs false leaves SIGHUP to others, for whom it means to read something anew
 */
export function takeSignals(
  handler: (signal: NodeJS.Signals) => void,
  { isHangUpOurs = true }: { readonly isHangUpOurs?: boolean } = {},
): void {
  for (const signal of SIGNALS) {
    process.off(signal, exitNow);
    if (signal !== 'SIGHUP' || isHangUpOurs) process.on(signal, handler);
  }
}
