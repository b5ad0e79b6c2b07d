import type { FastifyInstance } from 'fastify';
import { Problem } from '../errors/index.js';
import type { EventLoopDelay, RefusalLog } from '../load/index.js';
import { isAlwaysAnswered } from './always-answered.decorator.js';
import type { ConnectionLimit } from './connection-limit.js';

/**
 * Refuses requests at the door, before anything is done for them, where there are too many connections or the process
 * cannot keep up. What operators ask is answered all the same.
 */
export function shedLoad(
  instance: FastifyInstance,
  connections: ConnectionLimit,
  delay: EventLoopDelay,
  log: RefusalLog,
): void {
  delay.start();
  instance.addHook('onClose', (_instance, done) => {
    delay.stop();
    done();
  });
  instance.addHook('onRequest', (request, _reply, done) => {
    const isExcess = connections.isExcess(request.raw.socket);
    if ((!isExcess && !delay.isTooLong) || isAlwaysAnswered(request)) return done();
    log.note(isExcess ? 'too-many-connections' : 'event-loop-delay');
    return done(
      new Problem('overloaded', {
        detail: isExcess
          ? 'There are too many connections; try again later.'
          : 'The server has more to do than it can; try again later.',
        headers: { 'retry-after': '1', ...(isExcess ? { connection: 'close' } : {}) },
      }),
    );
  });
}
