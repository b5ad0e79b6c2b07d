import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../config/index.js';
import { CollectionNames } from '../collection-names.js';
import { ObservedRequest } from '../observed-request.js';
import { createLogger } from './logger.js';
import { RequestLog } from './request-log.js';

/** The events that are logged of a request that took so long. */
function linesOf(durationMs: number, environment: Readonly<Record<string, string>>): string[] {
  const events: string[] = [];
  const config = parseConfig({ ...environment, PLINTH_LOG_FORMAT: 'json' });
  const write = (line: string): void => {
    events.push((JSON.parse(line) as { event: string }).event);
  };
  const log = new RequestLog(createLogger(config, { write }), new CollectionNames(), config);
  const request = new ObservedRequest('id', new IncomingMessage(new Socket()));
  request.endedAtMs = request.startedAtMs + durationMs;
  if (log.wants('request.finished')) log.observe({ kind: 'request.finished', request });
  return events;
}

describe('the request log', () => {
  it('tells requests as slow from a second on, or as the setting says', () => {
    expect(linesOf(999, {})).toEqual([]);
    expect(linesOf(1000, {})).toEqual(['request.slow']);
    expect(linesOf(20, { PLINTH_SLOW_REQUEST_MS: '20' })).toEqual(['request.slow']);
    expect(linesOf(0, { PLINTH_SLOW_REQUEST_MS: '0' })).toEqual(['request.slow']);
    expect(linesOf(1e9, { PLINTH_SLOW_REQUEST_MS: 'off' })).toEqual([]);
  });

  it('tells every request at the level of the setting', () => {
    expect(linesOf(1, { PLINTH_LOG_LEVEL: 'debug' })).toEqual(['request.finished']);
    expect(linesOf(1, { PLINTH_LOG_REQUESTS: 'info' })).toEqual(['request.finished']);
    expect(linesOf(1, { PLINTH_LOG_LEVEL: 'debug', PLINTH_LOG_REQUESTS: 'off' })).toEqual([]);
    expect(linesOf(2000, { PLINTH_LOG_REQUESTS: 'info' })).toEqual(['request.finished', 'request.slow']);
    expect(linesOf(2000, { PLINTH_LOG_LEVEL: 'error', PLINTH_LOG_REQUESTS: 'info' })).toEqual([]);
  });
});
