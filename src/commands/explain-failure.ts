import { ConfigError } from '../common/config/index.js';
import { CommandFailure } from './failure.js';

/** These say what to do by themselves. Known by name, because their modules would load the whole application. */
const NAMES = new Set(['UnusableDatabaseError', 'EmbeddedPostgresError', 'MissingGrantError']);

/** PostgreSQL's states have five letters and digits. */
const SQL_STATE = /^(?=.*\d)[0-9A-Z]{5}$/;
const MISSING_GRANT = '42501';

/** What made a command fail, for the person who typed it: their mistakes in words, ours with the stack. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError || error instanceof CommandFailure || NAMES.has(error.name)) {
    return error.message;
  }
  const { code, syscall, address = '', port = 0 } = error as ListenError;
  if (syscall === 'listen') {
    const { what, advice } = explainListening({ host: address, port, error });
    return `${capitalise(what)}.\n${advice}`;
  }
  if (code !== undefined && SQL_STATE.test(code)) {
    const advice = code === MISSING_GRANT ? '\n`plinth doctor` says which grants are missing.' : '';
    return `The database refused: ${error.message} (${code})${advice}`;
  }
  return code === undefined || code.startsWith('ERR_')
    ? (error.stack ?? error.message)
    : `${error.message} (${code})`;
}

interface ListenError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
}

/** Why the server cannot listen on an address, and what to do. */
export function explainListening({
  host,
  port,
  error,
}: {
  readonly host: string;
  readonly port: number;
  readonly error: NodeJS.ErrnoException;
}): { readonly what: string; readonly advice: string } {
  switch (error.code) {
    case 'EADDRINUSE':
      return {
        what: `the port ${port} of ${host} is taken by another process`,
        advice: 'Stop that one, or set PORT to another port; 0 takes a free one.',
      };
    case 'EACCES':
      return {
        what: `this user may not listen on the port ${port} of ${host}`,
        advice: 'Set PORT to one from 1024 on.',
      };
    default:
      return {
        what: `nothing can listen on the port ${port} of ${host}: ${error.message}`,
        advice: 'Set HOST to an address of this machine, or to 0.0.0.0 for all of them.',
      };
  }
}

const capitalise = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
