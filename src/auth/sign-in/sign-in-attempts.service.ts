import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { addressGroup } from '../../common/http/index.js';

/**
 * So many failures cost nothing; after these, the next attempt has to wait eight seconds, and each one twice as long as
 * the one before, up to so many.
 */
interface Patience {
  readonly free: number;
  readonly longestSeconds: number;
}

/** In the order in which attempts are counted. */
type Patiences = readonly [both: Patience, account: Patience, address: Patience];

const OF_PASSWORDS: Patiences = [
  // One account, from one address: somebody who guesses.
  { free: 5, longestSeconds: 900 },
  // One account, from addresses where it has not signed in lately: many who guess together. What they can cost the owner
  // at an address that is new is a minute.
  { free: 30, longestSeconds: 60 },
  // One address, whatever the account: somebody who tries one password on many. Many people may share it.
  { free: 100, longestSeconds: 300 },
];

/**
 * For codes of six digits, of which three are right at a time: few enough tries that a month of them, by somebody who has
 * the password, comes to one in a hundred.
 */
export const OF_CODES: Patiences = [
  { free: 5, longestSeconds: 900 },
  { free: 10, longestSeconds: 900 },
  { free: 100, longestSeconds: 300 },
];

const TAKE = 'SELECT plinth.take_sign_in_attempt($1, $2, $3) AS wait';

/** Locks in the order in which attempts are counted, so that nobody waits in a circle. */
const FORGIVE = `
  WITH counted AS MATERIALIZED (
    SELECT a.key, a.failures, k.place
    FROM unnest($1::bytea[]) WITH ORDINALITY AS k (key, place) JOIN plinth.sign_in_attempts a ON a.key = k.key
    ORDER BY k.place FOR UPDATE OF a
  )
  UPDATE plinth.sign_in_attempts a
  SET failures = CASE c.place WHEN 1 THEN 0 ELSE greatest(c.failures - 1, 0) END, next_at = now(),
      succeeded_at = CASE c.place WHEN 1 THEN now() END
  FROM counted c WHERE a.key = c.key`;

/**
 * Slows down who guesses passwords, by account and by address, and never locks an account: its owner is not held up by
 * what others do, at an address where they have signed in within a month, and elsewhere for a minute at most.
 *
 * It makes no difference whether there is such an account. The counts are in the database, so they hold for all
 * instances.
 */
@Injectable()
export class SignInAttempts {
  constructor(@InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource) {}

  /**
   * Counts an attempt before its password is looked at, so that many at once are many.
   * @param account what it is on: an e-mail address, or whatever names the account
   * @returns forgives it, to be called where it succeeded
   * @throws Problem `rate-limited` where it comes too soon; it is not counted then
   */
  async take(
    account: string,
    address: string,
    patiences: Patiences = OF_PASSWORDS,
  ): Promise<() => Promise<void>> {
    const client = addressGroup(address);
    const keys = [`both ${client} ${account}`, `account ${account}`, `address ${client}`].map(digest);
    const [row] = await this.dataSource.query<{ wait: number }[]>(TAKE, [
      keys,
      patiences.map(({ free }) => free),
      patiences.map(({ longestSeconds }) => longestSeconds),
    ]);
    const seconds = Math.ceil(row?.wait ?? 0);
    if (seconds > 0) throw tooSoon(seconds);
    return async () => {
      await this.dataSource.query(FORGIVE, [keys]);
    };
  }
}

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

const tooSoon = (seconds: number): Problem =>
  new Problem('rate-limited', {
    detail: `There were too many attempts; try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
