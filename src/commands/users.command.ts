import { randomInt } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { CreateUserDto, LOCAL_CLIENT, UserManagementService } from '../auth/index.js';
import { createValidationPipe } from '../common/http/index.js';
import { toCommandFailure } from './explain-problem.js';
import { withApplication } from './with-application.js';

export interface CreateUserOptions {
  readonly email: string;
  readonly role?: readonly string[];
  readonly passwordStdin?: boolean;
}

/** Which option a member of the request comes from. */
const OPTIONS: Readonly<Record<string, string>> = {
  email: '--email',
  roles: '--role',
  password: 'the password',
};

/** Without those that look alike. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const PASSWORD_LENGTH = 20;

/**
 * Prints the new password alone on stdout, so that a script can take it. The same rules hold as over HTTP.
 * @throws CommandFailure that names the options at fault
 */
export async function createUser({ email, role = [], passwordStdin }: CreateUserOptions): Promise<void> {
  const password = passwordStdin ? (await text(process.stdin)).replace(/\r?\n$/, '') : randomPassword();
  try {
    const request: unknown = await createValidationPipe().transform(
      { email, roles: [...role], password, emailVerified: true },
      { type: 'body', metatype: CreateUserDto },
    );
    if (!(request instanceof CreateUserDto)) throw new TypeError('The validation gave something else.');
    await withApplication((app) => app.get(UserManagementService).create(request, LOCAL_CLIENT));
    if (!passwordStdin) process.stdout.write(`${password}\n`);
  } catch (error) {
    throw toCommandFailure(error, OPTIONS);
  }
}

const randomPassword = (): string =>
  Array.from({ length: PASSWORD_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
