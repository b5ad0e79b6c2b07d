import type { FastifyInstance } from 'fastify';
import type { PlinthConfig } from '../config/index.js';
import { Problem } from '../errors/index.js';

/** Refuses addresses that are too long and headers that are too many; headers that are too large Node refuses itself. */
export function refuseLargeHeads(
  instance: FastifyInstance,
  { urlLimitBytes, maxHeaders }: Pick<PlinthConfig, 'urlLimitBytes' | 'maxHeaders'>,
): void {
  instance.addHook('onRequest', ({ raw }, _reply, done) => {
    if ((raw.url?.length ?? 0) > urlLimitBytes) {
      return done(
        new Problem('uri-too-long', {
          detail: `The address is longer than the ${urlLimitBytes} bytes taken.`,
        }),
      );
    }
    // Names and values by turns.
    if (raw.rawHeaders.length > 2 * maxHeaders) {
      return done(
        new Problem('headers-too-large', { detail: `There are more headers than the ${maxHeaders} taken.` }),
      );
    }
    return done();
  });
}
