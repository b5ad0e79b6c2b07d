import { ApiKeysService, CreateKeyDto } from '../access/index.js';
import { createValidationPipe } from '../common/http/index.js';
import { toCommandFailure } from './explain-problem.js';
import { withApplication } from './with-application.js';

export interface CreateKeyOptions {
  readonly role: readonly string[];
  readonly name: string;
  readonly expiresAt?: string;
}

/** Which option a member of the request comes from. */
const OPTIONS: Readonly<Record<string, string>> = {
  name: '--name',
  roles: '--role',
  expiresAt: '--expires-at',
};

/**
 * Prints the new key alone on stdout, so that a script can take it. The same rules hold as over HTTP.
 * @throws CommandFailure that names the options at fault
 */
export async function createKey({ role, name, expiresAt }: CreateKeyOptions): Promise<void> {
  try {
    const request: unknown = await createValidationPipe().transform(
      { name, roles: [...role], expiresAt },
      { type: 'body', metatype: CreateKeyDto },
    );
    if (!(request instanceof CreateKeyDto)) throw new TypeError('The validation gave something else.');
    const { key } = await withApplication((app) => app.get(ApiKeysService).create(request));
    process.stdout.write(`${key}\n`);
  } catch (error) {
    throw toCommandFailure(error, OPTIONS);
  }
}
