import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Observer, type Observation } from '../observability/index.js';
import { DatabaseSockets } from './database-sockets.js';
import { SilenceWatch } from './silence-watch.js';

/** A server that says nothing but what it is told to. */
async function listen(): Promise<{ server: Server; port: number; say(text: string): void }> {
  let speak: (text: string) => void = () => {};
  const server = createServer((socket) => {
    socket.resume();
    socket.on('error', () => {});
    speak = (text) => void socket.write(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return { server, port, say: (text) => speak(text) };
}

const lost = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('timeout expired'), { code: 'ETIMEDOUT' }));

describe('a watch for silence', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  const watch = (sockets: DatabaseSockets, probe: () => Promise<void>) => {
    const told: Observation['kind'][] = [];
    const observer = new Observer([{ wants: () => true, observe: ({ kind }) => void told.push(kind) }]);
    return { watch: new SilenceWatch(sockets, observer, probe), told };
  };

  it('lets a statement take its time while the database answers', async () => {
    const sockets = new DatabaseSockets();
    let probes = 0;
    const { watch: silence, told } = watch(sockets, () => {
      probes += 1;
      return Promise.resolve();
    });
    const nowMs = performance.now();
    silence.look(nowMs, true);
    silence.look(nowMs + 1900, true);
    expect(probes).toBe(0);
    silence.look(nowMs + 2001, true);
    await expect.poll(() => probes).toBe(1);
    expect([sockets.isBlocked, told]).toEqual([false, []]);
  });

  it('asks nothing while nothing is asked', () => {
    const { watch: silence, told } = watch(new DatabaseSockets(), lost);
    const nowMs = performance.now();
    silence.look(nowMs, true);
    silence.look(nowMs + 1000, false);
    silence.look(nowMs + 2500, true);
    expect(told).toEqual([]);
  });

  it('breaks connections off, lets none be made, and none fail any more once the database is back', async () => {
    const far = await listen();
    server = far.server;
    const sockets = new DatabaseSockets();
    let isBack = false;
    const { watch: silence, told } = watch(sockets, () => (isBack ? Promise.resolve() : lost()));
    const open = sockets.factory()().connect(far.port, '127.0.0.1');
    const ends: string[] = [];
    open.on('error', (error) => ends.push(error.message));
    await expect.poll(() => open.connecting).toBe(false);
    open.write('anybody there?');
    await expect.poll(() => sockets.isWaiting).toBe(true);
    far.say('yes');
    await expect.poll(() => open.bytesRead).toBe(3);
    expect(sockets.isWaiting).toBe(false);
    open.write('and now?');

    const nowMs = performance.now();
    silence.look(nowMs, false);
    silence.look(nowMs + 2001, false);
    await expect.poll(() => sockets.isBlocked).toBe(true);
    const next = sockets.factory()().connect(far.port, '127.0.0.1');
    next.on('error', (error) => ends.push(error.message));
    await expect.poll(() => ends).toEqual(Array(2).fill(expect.stringContaining('does not answer')));

    isBack = true;
    await expect
      .poll(() => {
        silence.look(performance.now() + 10_000, false);
        return sockets.isBlocked;
      })
      .toBe(false);
    const again = sockets.factory()().connect(far.port, '127.0.0.1');
    await expect.poll(() => again.connecting).toBe(false);
    again.destroy();
    expect(told).toEqual(['database.silent', 'database.heard']);
  });

  it('takes a database that is full for one that is there', async () => {
    const sockets = new DatabaseSockets();
    let probes = 0;
    const { watch: silence, told } = watch(sockets, () => {
      probes += 1;
      return Promise.reject(Object.assign(new Error('too many connections'), { code: '53300' }));
    });
    silence.look(performance.now(), true);
    silence.look(performance.now() + 3000, true);
    await expect.poll(() => probes).toBe(1);
    expect([sockets.isBlocked, told]).toEqual([false, []]);
  });
});
