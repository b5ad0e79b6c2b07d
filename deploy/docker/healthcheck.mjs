// The image's HEALTHCHECK: ends with 0 where the server of this container answers.
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';

const TIMEOUT_MS = 2500;
const isSecure = Boolean(process.env.PLINTH_TLS_CERT);
const options = {
  host: '127.0.0.1',
  port: process.env.PORT || 3000,
  path: '/health/live',
  timeout: TIMEOUT_MS,
  // The certificate is for the name that clients use.
  rejectUnauthorized: false,
};
const request = (isSecure ? getSecure : getPlain)(options, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy());
request.on('error', () => process.exit(1));
