import { createClient, defineScript, type CommandParser } from '@redis/client';
import type { Rate } from '../config/index.js';
import { intervalMs } from './rate-meter.js';

const CONNECT_TIMEOUT_MS = 2000;
const MAX_RECONNECT_MS = 2000;

/**
 * The same decision as of `MemoryMeter`, in one step on the server and by the server's clock, which all instances share.
 * Answers with 1 or 0, and by how many milliseconds what was taken is ahead.
 */
const TAKE = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + time[2] / 1000
    local window, interval, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local ahead = math.max(0, (tonumber(redis.call('GET', KEYS[1])) or 0) - now)
    local next = ahead + cost * interval
    if next > window + interval / 1000000 then return { 0, tostring(ahead) } end
    redis.call('SET', KEYS[1], string.format('%.3f', now + next), 'PX', math.ceil(next) + 1)
    return { 1, tostring(next) }`,
  parseCommand(parser: CommandParser, key: string, rate: Rate, cost: number) {
    parser.pushKey(key);
    parser.push(String(rate.windowSeconds * 1000), String(intervalMs(rate)), String(cost));
  },
  transformReply: (reply: unknown) => reply as readonly [number, string],
});

/** A client that knows the script, and connects again by itself. */
export const createRedisClient = (url: string) =>
  createClient({
    url,
    scripts: { take: TAKE },
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (attempts) => Math.min(MAX_RECONNECT_MS, 50 * 2 ** attempts),
    },
  });

export type RedisClient = ReturnType<typeof createRedisClient>;
