import type { Finding } from './fuzz.js';

/** Tables and columns that no statement on behalf of the attacker names: its policies do not. */
const FORBIDDEN_NAMES = /\b(secrets|password|token|tax_no|editor_id)\b/;
/** A write keeps whole rows, for the database to compare what was and what will be; a name counts where it is used. */
const WHOLE_ROW = /\b(?:SELECT|RETURNING)\s+t\d*\.\w+(?:, t\d*\.\w+)+/g;
/** Tables that it may write. */
const MAY_INSERT = new Set(['tags', 'posts', 'comments']);
const MAY_UPDATE = new Set(['posts', 'users', 'parcels', 'comments', 'tags']);
const WRITE =
  /\b(INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|TRUNCATE)\s+(?:ONLY\s+)?((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)/gi;
const COMMAND = /^\s*(DROP|ALTER|CREATE|GRANT|REVOKE|COPY|DO|CALL|SET)\b/i;

/** Of the statements that went to the database, those that the attacker's policies do not allow. */
export function judgeStatements(statements: readonly string[]): Finding[] {
  return [...new Set(statements)].flatMap((text) => {
    const wrong = judgeStatement(text);
    return wrong === null ? [] : [{ kind: 'statement' as const, what: `${wrong}: ${text.slice(0, 400)}` }];
  });
}

function judgeStatement(text: string): string | null {
  // Of Plinth's own: claims of idempotency keys, the use of a key, the queue of jobs.
  if (/\bplinth"?\."?(idempotent_answers|api_keys)\b|\bplinth_jobs"?\."?_private_/.test(text)) return null;
  const forbidden = FORBIDDEN_NAMES.exec(text.replaceAll(WHOLE_ROW, ''))?.[0];
  if (forbidden !== undefined) return `names ${forbidden}`;
  if (COMMAND.test(text)) return 'is a command';
  for (const [, verb = '', target = ''] of text.matchAll(WRITE)) {
    // Of the clause that says what an upsert does, and of a lock.
    if (/^(set|of|skip|nowait)$/i.test(target)) continue;
    const table = target.replaceAll('"', '').replace(/^public\./, '');
    const allowed = /^INSERT/i.test(verb)
      ? MAY_INSERT
      : /^UPDATE/i.test(verb)
        ? MAY_UPDATE
        : new Set<string>();
    if (!allowed.has(table)) return `${verb} ${table}`;
  }
  return null;
}
