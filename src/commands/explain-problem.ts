import { Problem } from '../common/errors/index.js';
import { CommandFailure } from './failure.js';

/**
 * What an option has to do with a refusal, in the command line's words.
 * @param options the option that a member of the request comes from
 */
export function toCommandFailure(error: unknown, options: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof Problem)) return error;
  const { errors = [], detail, title } = error;
  const text =
    errors.length === 0
      ? (detail ?? title)
      : errors
          .map(({ pointer, message }) => `${options[pointer.split('/')[1] ?? ''] ?? pointer} ${message}`)
          .join('\n');
  return new CommandFailure(text, { cause: error });
}
