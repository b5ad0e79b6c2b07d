import { createServer, type AddressInfo } from 'node:net';
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { insertAdminKey } from '../../kit/admin-key.js';
import { createTestDatabase } from '../../kit/database.js';
import { addressesOf, openMailbox } from '../../kit/mailbox.js';
import { BUILD_TIMEOUT_MS, ensureBuilt, servePlinth, type ServingProcess } from '../../kit/plinth-process.js';

// Processes are started, on a machine that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

beforeAll(ensureBuilt, BUILD_TIMEOUT_MS);

it('loses no job with a process that is killed while it works one', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  // A mail server that takes the call and says nothing: the job hangs until the process is gone.
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const mailbox = await openMailbox();
  onTestFinished(() => mailbox.close());
  const serve = (smtpUrl: string): Promise<ServingProcess> =>
    servePlinth({
      env: {
        DATABASE_URL: database.url,
        PLINTH_SECRET: 'a secret that both processes share',
        PLINTH_SMTP_URL: smtpUrl,
        PLINTH_MAIL_FROM: 'accounts@plinth.example',
        PLINTH_PUBLIC_URL: 'https://plinth.example',
      },
    });
  const running = (): Promise<object[]> =>
    database.query(`SELECT j.attempts FROM plinth_jobs._private_jobs j
      JOIN plinth_jobs._private_tasks t ON t.id = j.task_id
      WHERE t.identifier = 'mail.send' AND j.locked_at IS NOT NULL`);

  const first = await serve(`smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  onTestFinished(() => first.send('SIGKILL'));
  const key = await insertAdminKey(database.url);
  const made = await fetch(`${first.url}/system/users`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.org', invite: true }),
  });
  expect(made.status).toBe(201);
  await expect.poll(running).toEqual([{ attempts: 1 }]);
  first.send('SIGKILL');
  expect(await running()).toEqual([{ attempts: 1 }]);

  const second = await serve(mailbox.url);
  onTestFinished(() => second.send('SIGKILL'));
  await expect.poll(() => mailbox.mails.length, { timeout: 60_000 }).toBe(1);
  await expect.poll(() => database.query('SELECT id FROM plinth_jobs._private_jobs')).toEqual([]);
});

it('does each job once where several processes work them', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const mailbox = await openMailbox();
  onTestFinished(() => mailbox.close());
  const server = await servePlinth({
    env: {
      DATABASE_URL: database.url,
      PLINTH_WORKERS: '2',
      PLINTH_SMTP_URL: mailbox.url,
      PLINTH_MAIL_FROM: 'accounts@plinth.example',
      PLINTH_PUBLIC_URL: 'https://plinth.example',
    },
  });
  onTestFinished(() => server.send('SIGKILL'));
  const key = await insertAdminKey(database.url);
  const invited = Array.from({ length: 12 }, (_, index) => `person${index}@example.org`);
  const statuses = await Promise.all(
    invited.map(async (email) => {
      const made = await fetch(`${server.url}/system/users`, {
        method: 'POST',
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
        body: JSON.stringify({ email, invite: true }),
      });
      return made.status;
    }),
  );
  expect(statuses).toEqual(invited.map(() => 201));
  await expect
    .poll(() => database.query('SELECT id FROM plinth_jobs._private_jobs'), { timeout: 60_000 })
    .toEqual([]);
  const written = mailbox.mails.flatMap(addressesOf).toSorted();
  expect(written).toEqual(invited.toSorted());
});
