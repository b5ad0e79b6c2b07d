import type { Pool, PoolClient } from 'pg';

/** Where changes of the schema are told. */
export const CATALOG_CHANNEL = 'plinth_catalog';

/** Any number that nobody else is likely to lock. */
const INSTALL_LOCK = 7_052_601_395;

const INSUFFICIENT_PRIVILEGE = '42501';

const TRIGGERS = [
  { name: 'plinth_catalog_change', event: 'ddl_command_end' },
  { name: 'plinth_catalog_drop', event: 'sql_drop' },
] as const;

/** Whether both event triggers exist and fire, so that changes are told. */
export async function hasChangeTrigger(pool: Pool): Promise<boolean> {
  const found = await listTriggers(pool);
  return found.size === TRIGGERS.length && [...found.values()].every((isEnabled) => isEnabled);
}

/**
 * Makes those event triggers that do not exist, if this role may. One that somebody disabled stays so.
 * @returns false where the role may not
 */
export async function installChangeTrigger(pool: Pool): Promise<boolean> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    await createTriggers(client);
    await client.query('COMMIT');
    return true;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    if (isRefusal(error)) return false;
    throw error;
  } finally {
    client.release(broken);
  }
}

async function createTriggers(client: PoolClient): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(${INSTALL_LOCK})`);
  const found = await listTriggers(client);
  // It will run inside every user's statements, so nobody less than who makes the trigger may replace its body.
  await client.query('ALTER FUNCTION plinth.notify_catalog_change() OWNER TO CURRENT_USER');
  for (const { name, event } of TRIGGERS) {
    if (found.has(name)) continue;
    await client.query(
      `CREATE EVENT TRIGGER ${name} ON ${event} EXECUTE FUNCTION plinth.notify_catalog_change()`,
    );
    // Also for sessions that replay changes with session_replication_role = replica, as restores do.
    await client.query(`ALTER EVENT TRIGGER ${name} ENABLE ALWAYS`);
  }
}

/** Our triggers that exist, by name, and whether they fire. */
async function listTriggers(client: Pick<Pool, 'query'> | PoolClient): Promise<Map<string, boolean>> {
  const { rows } = await client.query<{ name: string; is_enabled: boolean }>(
    `SELECT evtname AS name, evtenabled IN ('O', 'A') AS is_enabled FROM pg_event_trigger WHERE evtname = ANY ($1)`,
    [TRIGGERS.map(({ name }) => name)],
  );
  return new Map(rows.map((row) => [row.name, row.is_enabled]));
}

const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE;
