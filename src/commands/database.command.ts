import { parseConfig } from '../common/config/index.js';
import { listGrants } from '../common/database/grants.js';
import { CommandFailure } from './failure.js';

export interface GrantsOptions {
  readonly role?: string;
  readonly readOnly?: boolean;
}

/** Prints what an administrator runs once in the database, so that Plinth can work as a role that owns nothing else. */
export function printGrants({ role, readOnly = false }: GrantsOptions): void {
  const { databaseUrl, schemas } = parseConfig(process.env);
  const grantee = role ?? (databaseUrl === null ? '' : decodeURIComponent(new URL(databaseUrl).username));
  if (grantee === '') {
    throw new CommandFailure('Say which role, with --role, or set DATABASE_URL with a user in it.');
  }
  const statements = listGrants({ role: grantee, schemas, isReadOnly: readOnly });
  process.stdout.write(`${statements.join('\n')}\n`);
}
