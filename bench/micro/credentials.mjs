/**
 * What it costs to recognise a credential that was seen before: an API key, an access token, a session cookie. Run after
 * `npm run build`, with `DATABASE_URL` naming a database to spare.
 */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../dist/app.module.js';
import { ApiKeysService } from '../../dist/access/index.js';
import { KeyDirectory } from '../../dist/access/keys/key-directory.js';
import { LOCAL_CLIENT, UserManagementService } from '../../dist/auth/index.js';
import { SessionReader } from '../../dist/auth/sessions/session-reader.js';
import { SignInService } from '../../dist/auth/sign-in/sign-in.service.js';
import { parseConfig } from '../../dist/common/config/index.js';
import { createHttpAdapter } from '../../dist/common/http/index.js';
import { createLogger } from '../../dist/common/observability/index.js';

const CALLS = 1_000_000;
const ROUNDS = 5;

const config = parseConfig(process.env, { logLevel: 'warn' });
const logger = createLogger(config);
const app = await NestFactory.create(
  AppModule.forRoot({ config, logger }),
  createHttpAdapter(config, logger),
  {
    logger: false,
  },
);
await app.init();
const { key } = await app.get(ApiKeysService, { strict: false }).create({ name: 'bench', roles: [] });
const user = await app
  .get(UserManagementService, { strict: false })
  .create({ email: `${randomUUID()}@example.org` }, LOCAL_CLIENT);
const signIns = app.get(SignInService, { strict: false });
const { body } = await signIns.begin(user.id, 'token', LOCAL_CLIENT);
const { cookie } = await signIns.begin(user.id, 'cookie', LOCAL_CLIENT);
const keys = app.get(KeyDirectory, { strict: false });
const sessions = app.get(SessionReader, { strict: false });
const ways = {
  'API key': () => keys.findActor(copy(key)),
  'access token': () => sessions.findByToken(copy(body.accessToken)),
  'session cookie': () => sessions.findByCookie(copy(cookie.value)),
};

/** A text of its own for each call, as a request has it. */
function copy(text) {
  return Buffer.from(text, 'latin1').latin1Slice();
}

for (const recognise of Object.values(ways)) await recognise();
for (const [name, recognise] of Object.entries(ways)) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    for (let call = 0; call < CALLS; call += 1) void recognise();
    times.push(((performance.now() - start) * 1e6) / CALLS);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)];
  process.stdout.write(`${name.padEnd(16)} ${median.toFixed(0)} ns\n`);
}
await app.close();
process.exit();
