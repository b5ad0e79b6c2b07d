// What counting a request costs, in nanoseconds: `npm run build && node bench/micro/rate-limit.mjs`.
import 'reflect-metadata';
import { parseConfig } from '../../dist/common/config/index.js';
import { createLogger } from '../../dist/common/observability/index.js';
import { RateLimits } from '../../dist/common/rate-limit/index.js';

const ROUNDS = 5_000_000;
const CALLERS = 1000;

const callers = Array.from({ length: CALLERS }, (_, index) => ({
  actor: {
    kind: 'key',
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    roles: [],
    claims: {},
  },
  address: `203.0.113.${index % 256}`,
}));

/** Asks whether a request counts, and counts it where it does. */
function measure(environment) {
  const logger = createLogger({ logLevel: 'silent', logFormat: 'json' });
  const limits = new RateLimits(parseConfig(environment), logger);
  const run = (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      const caller = callers[round % CALLERS];
      if (limits.isCounted(caller.actor)) void limits.count(caller, 1);
    }
  };
  run(ROUNDS / 10);
  const start = process.hrtime.bigint();
  run(ROUNDS);
  return Number(process.hrtime.bigint() - start) / ROUNDS;
}

console.log(`off        ${measure({}).toFixed(1)} ns`);
console.log(`in memory  ${measure({ PLINTH_RATE_LIMIT: '1000000/s' }).toFixed(1)} ns`);
