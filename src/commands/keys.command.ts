import { ApiKeysService } from '../access/index.js';
import { Problem } from '../common/errors/index.js';
import { CommandFailure } from './failure.js';
import { withApplication } from './with-application.js';

interface CreateKeyOptions {
  readonly role: readonly string[];
  readonly name: string;
  readonly expiresAt?: string;
}

/** Prints the new key alone on stdout, so that a script can take it. */
export async function createKey({ role, name, expiresAt }: CreateKeyOptions): Promise<void> {
  const made = await withApplication(async (app) => {
    try {
      return await app.get(ApiKeysService).create({ name, roles: [...role], expiresAt });
    } catch (error) {
      if (error instanceof Problem) throw new CommandFailure(error.detail ?? error.title, { cause: error });
      throw error;
    }
  });
  process.stdout.write(`${made.key}\n`);
}
