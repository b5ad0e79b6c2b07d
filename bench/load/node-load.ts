// The load where wrk is not installed: the same requests over as many connections, each waiting for its answer before
// it sends the next. Usage: node node-load.js <url> <file> <connections> <seconds> [<API key>]
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { parseRequestLine, type PreparedRequest } from './prepared-request.js';

const [url = '', file = '', connections = '', seconds = '', key = ''] = process.argv.slice(2);
const requests = readFileSync(file, 'utf8').split('\n').map(parseRequestLine);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const authorization: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` };

const latenciesMs: number[] = [];
let failures = 0;
let position = 0;

/** Sends one request; resolves when the whole answer is there. */
function send({ method, path, body }: PreparedRequest): Promise<void> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const headers =
      body === ''
        ? authorization
        : {
            ...authorization,
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          };
    const sent = request(url + path, { method, agent, headers }, (response) => {
      response.resume().once('end', () => {
        latenciesMs.push(performance.now() - startedAt);
        if ((response.statusCode ?? 0) > 399) failures += 1;
        resolve();
      });
    });
    sent.once('error', () => {
      failures += 1;
      resolve();
    });
    sent.end(body);
  });
}

async function sendUntil(deadline: number): Promise<void> {
  while (performance.now() < deadline) {
    const next = requests[position % requests.length];
    position += 1;
    if (next !== undefined) await send(next);
  }
}

const startedAt = performance.now();
const deadline = startedAt + Number(seconds) * 1000;
await Promise.all(Array.from({ length: Number(connections) }, () => sendUntil(deadline)));
const elapsedMs = performance.now() - startedAt;
agent.destroy();

latenciesMs.sort((a, b) => a - b);
const percentile = (share: number): number => latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0;
process.stdout.write(
  `${JSON.stringify({
    requests: latenciesMs.length,
    seconds: elapsedMs / 1000,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    failures,
  })}\n`,
);
