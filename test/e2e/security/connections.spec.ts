import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../kit/app.js';
import { openRawConnection, problemsIn, statusesIn, type RawConnection } from '../../kit/raw-connection.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ config: { maxConnections: 3, requestsPerConnection: 4, metrics: 'public' } });
});
afterAll(() => app.close());

const ask = (connection: RawConnection, path: string): void =>
  connection.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);

it('serves as many connections as are allowed, refuses requests on others, and answers probes all the same', async () => {
  const served: RawConnection[] = [];
  for (let number = 0; number < 3; number += 1) {
    const connection = await openRawConnection(app.url);
    ask(connection, '/openapi.json');
    expect(statusesIn(await connection.until(/\r\n\r\n/))).toEqual([200]);
    served.push(connection);
  }
  const excess = await openRawConnection(app.url);
  ask(excess, '/openapi.json');
  const refusal = await excess.closed();
  expect([statusesIn(refusal), problemsIn(refusal)]).toEqual([[503], ['overloaded']]);
  expect(refusal).toMatch(/^retry-after: 1\r$/im);
  expect(refusal).toMatch(/^connection: close\r$/im);

  const probe = await openRawConnection(app.url);
  ask(probe, '/health/ready');
  expect(statusesIn(await probe.until(/"up"/))).toEqual([200]);
  ask(probe, '/metrics');
  expect(statusesIn(await probe.until(/plinth_build_info/))).toEqual([200, 200]);
  // There is a reserve for these, and no more than that.
  const others = await Promise.all(Array.from({ length: 40 }, () => openRawConnection(app.url)));
  for (const connection of others) ask(connection, '/health/live');
  const answers = await Promise.all(
    others.map((connection) => connection.until(/ok/).then(statusesIn, () => 'closed')),
  );
  expect(answers.filter((answer) => answer === 'closed').length).toBeGreaterThan(20);
  expect(answers).toContainEqual([200]);

  // Whoever goes makes room.
  for (const connection of [...served, ...others, probe]) connection.socket.destroy();
  await expect
    .poll(async () => {
      const connection = await openRawConnection(app.url);
      ask(connection, '/openapi.json');
      const [status] = statusesIn(await connection.until(/\r\n\r\n/).catch(() => ''));
      connection.socket.destroy();
      return status;
    })
    .toBe(200);
});

it('closes a connection after as many requests as are allowed on it', async () => {
  await expect.poll(() => fetch(`${app.url}/openapi.json`).then(({ status }) => status)).toBe(200);
  const connection = await openRawConnection(app.url);
  for (let number = 1; number <= 4; number += 1) {
    ask(connection, '/health/live');
    await connection.until(new RegExp(Array(number).fill('"ok"').join('[^]*?')));
  }
  const text = await connection.closed();
  expect(statusesIn(text)).toEqual([200, 200, 200, 200]);
  expect(text.match(/^connection: close\r$/gim)).toHaveLength(1);
});

it('closes while a client holds a connection on which it says nothing', async () => {
  const other = await startTestApp({ database: app.database });
  const silent = await openRawConnection(other.url);
  const waiting = await openRawConnection(other.url);
  ask(waiting, '/health/live');
  await waiting.until(/ok/);
  await other.close();
  expect(await silent.closed()).toBe('');
  await waiting.closed();
});
