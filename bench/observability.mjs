// What observing costs a request, in nanoseconds: `npm run bench:observability`.
//
// The same work is done with and without being observed, in turn, and the medians are compared. A whole request takes
// some 50 to 100 µs of CPU; measured over HTTP, what is looked for here would drown in noise.
import { ServerResponse } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import Fastify from 'fastify';
import { ensureBuilt, ROOT } from '../scripts/build.mjs';

const ROUNDS = 15;
const REQUESTS = 20_000;
const COLLECTIONS = 50;

await ensureBuilt({ quiet: false });
const load = (file) => import(pathToFileURL(path.join(ROOT, 'dist', 'common', file)).href);
const { observeRequests, Observer, noteStatement, noteWait, createLogger, MetricRegistry, LogSink } =
  await load('observability/index.js');
const { CollectionNames } = await load('observability/collection-names.js');
const { RequestLog } = await load('observability/logs/request-log.js');
const { RequestMetrics } = await load('observability/metrics/request-metrics.js');
const { operationMetrics } = await load('observability/metrics/operation-metrics.js');
const { renderMetrics } = await load('observability/metrics/render-metrics.js');
const { parseConfig } = await load('config/index.js');

const names = Array.from({ length: COLLECTIONS }, (_, index) => `collection_${index}`);

/** An observer as the configuration makes it, and its registry. */
function createObserver(environment) {
  const config = parseConfig(environment);
  const registry = new MetricRegistry();
  const collections = new CollectionNames();
  const logger = createLogger(config, { write() {} });
  const observer = new Observer([
    new LogSink(logger),
    collections.sink,
    new RequestLog(logger, collections, config),
  ]);
  if (config.metrics !== 'off') {
    observer.add(new RequestMetrics(registry, collections, config.slowRequestMs).sink);
    observer.add(operationMetrics(registry));
  }
  observer.observe({ kind: 'catalog.read', version: '1', collections: new Set(names) });
  return { observer, registry };
}

/** A request as Fastify makes it, of the route of records. */
async function createRequest(observer) {
  const app = Fastify();
  const begin = observeRequests(app, observer);
  let request;
  app.get('/api/:collection/:key', (asked) => {
    request = asked;
    return '';
  });
  await app.inject('/api/collection_1/42');
  return { begin, request };
}

const statement = { name: 'plinth_x', text: 'SELECT 1', values: [] };

async function measure(work) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc?.();
    // Time of the processor, which others on the machine do not lengthen.
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push(((user + system) * 1000) / REQUESTS);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)];
}

/** Nanoseconds that observing adds to a request, and to its one statement. */
async function costOf(environment) {
  const { observer, registry } = createObserver(environment);
  const { begin, request } = await createRequest(observer);
  const socket = request.raw.socket;
  const exchange = (index, isObserved) => {
    const raw = new ServerResponse(request.raw);
    raw.socket = socket;
    raw.finished = true;
    const reply = { raw, getHeader: () => '100' };
    // A string that nobody has hashed, as the router gives it.
    request.params.collection = `x${names[index % COLLECTIONS]}`.slice(1);
    if (isObserved) begin(request, reply);
    raw.emit('close');
  };
  const requests = (isObserved) => () => {
    for (let index = 0; index < REQUESTS; index += 1) exchange(index, isObserved);
  };
  const { observed } = request;
  // What `Database` does around a connection and a statement.
  const statements = (isObserved) => () => {
    for (let index = 0; index < REQUESTS; index += 1) {
      if (!isObserved) continue;
      noteWait(observer, observed, performance.now());
      noteStatement(observer, observed, statement, null, performance.now());
    }
  };
  requests(true)();
  statements(true)();
  const request_ = (await measure(requests(true))) - (await measure(requests(false)));
  const statement_ = (await measure(statements(true))) - (await measure(statements(false)));
  return { request: request_, statement: statement_, registry };
}

const format = (nanoseconds) => `${Math.round(nanoseconds)} ns`.padStart(9);
process.stdout.write('                                   request  statement      total\n');
for (const [name, environment] of [
  ['as configured by default', {}],
  ['without metrics', { PLINTH_METRICS: 'off' }],
  [
    'without metrics and slow requests',
    { PLINTH_METRICS: 'off', PLINTH_SLOW_REQUEST_MS: 'off', PLINTH_LOG_REQUESTS: 'off' },
  ],
]) {
  const { request, statement: perStatement, registry } = await costOf(environment);
  process.stdout.write(
    `${name.padEnd(33)}${format(request)}  ${format(perStatement)}  ${format(request + perStatement)}\n`,
  );
  if (environment.PLINTH_METRICS === 'off') continue;
  const startedAt = performance.now();
  const { length } = renderMetrics(registry.read());
  process.stdout.write(`a scrape of ${length} bytes: ${(performance.now() - startedAt).toFixed(1)} ms\n`);
}
