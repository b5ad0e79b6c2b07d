import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/common/config/index.js';
import { placesOf } from '../../src/mail/render-text.js';
import { DE } from '../../src/mail/texts/de.js';
import { EN } from '../../src/mail/texts/en.js';
import { COMMON_VALUES, MAIL_NAMES, MAIL_VALUES } from '../../src/mail/texts/mail-text.js';
import { startTestApp, type LogLine, type TestApp, type TestAppOptions } from '../kit/app.js';
import { linkIn, openMailbox, type Mailbox, type MailboxOptions } from '../kit/mailbox.js';

const FROM = 'Käse & Söhne <accounts@plinth.example>';

async function open(options: MailboxOptions = {}): Promise<Mailbox> {
  const mailbox = await openMailbox(options);
  onTestFinished(() => mailbox.close());
  return mailbox;
}

async function start(
  config: TestAppOptions['config'],
  log: TestAppOptions['log'] = () => {},
): Promise<TestApp> {
  const app = await startTestApp({
    config: {
      jobConcurrency: 2,
      logLevel: 'info',
      publicUrl: 'https://plinth.example',
      mailFrom: FROM,
      ...config,
    },
    log,
  });
  onTestFinished(() => app.close());
  return app;
}

const invite = (app: TestApp, email: string, profile: object = {}): Promise<unknown> =>
  app.admin('POST', '/system/users', { email, invite: true, profile });
const mailJobs = async (app: TestApp): Promise<Record<string, unknown>[]> =>
  ((await app.admin('GET', '/system/jobs?name=mail.send')).body as { data: Record<string, unknown>[] }).data;
const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'plinth-mail-'));

describe('a mail server', () => {
  it('gets mails with user and password, from whom the operator says', async () => {
    const mailbox = await open({ user: 'shop', password: 'p@ss/word' });
    const app = await start({ smtpUrl: mailbox.url });
    await invite(app, 'ada@example.org');
    const [mail] = await mailbox.to('ada@example.org');
    expect(mail?.from?.value).toEqual([{ name: 'Käse & Söhne', address: 'accounts@plinth.example' }]);
    expect(mail?.messageId).toMatch(/^<[0-9a-f-]{36}@plinth\.example>$/);
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(linkIn(mail as never).origin).toBe('https://plinth.example');
  });

  it('that is down gets them when it is back', { timeout: 60_000 }, async () => {
    const first = await openMailbox();
    await first.close();
    const app = await start({ smtpUrl: first.url });
    await invite(app, 'patient@example.org');
    await expect.poll(() => mailJobs(app)).toMatchObject([{ state: 'scheduled', payload: null }]);
    const [job] = await mailJobs(app);
    expect(job?.['error']).toContain('ECONNREFUSED');
    const second = await open({ port: Number(new URL(first.url).port) });
    expect(await second.to('patient@example.org')).toHaveLength(1);
    await expect.poll(() => mailJobs(app)).toEqual([]);
  });

  it('that refuses the password is tried again; one that does not know the recipient is not', async () => {
    const mailbox = await open({ user: 'shop', password: 'right', unknown: ['nobody@example.org'] });
    const app = await start({ smtpUrl: mailbox.url.replace('right', 'wrong') });
    await invite(app, 'ada@example.org');
    await expect.poll(() => mailJobs(app)).toMatchObject([{ state: 'scheduled', attempts: 1 }]);
    const other = await start({ smtpUrl: mailbox.url });
    await invite(other, 'nobody@example.org');
    await expect.poll(() => mailJobs(other)).toMatchObject([{ state: 'dead', attempts: 1 }]);
    const [dead] = await mailJobs(other);
    expect(dead?.['error']).toContain('No such user');
  });
});

describe('without a mail server', () => {
  it('mails are files that only their owner reads, and the log says where and not what', async () => {
    const dataDir = await folder();
    const log: LogLine[] = [];
    const app = await start({ dataDir }, (line) => void log.push(line));
    await invite(app, 'filed@example.org');
    const names = async (): Promise<string[]> => readdir(join(dataDir, 'mail')).catch(() => []);
    await expect.poll(names).toHaveLength(1);
    const [name = ''] = await names();
    const file = join(dataDir, 'mail', name);
    await expect.poll(() => log.find(({ event }) => event === 'mail.filed')).toMatchObject({ file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'mail'))).mode & 0o777).toBe(0o700);
    const mail = await simpleParser(await readFile(file));
    const link = linkIn(mail);
    expect(link.pathname).toBe('/auth/pages/invitation');
    expect(JSON.stringify(log)).not.toContain(link.hash.slice('#token='.length));
  });
});

describe('texts of the operator', () => {
  it('take the place of others, escaped, and no value becomes a header', async () => {
    const mailTemplates = await folder();
    const text = 'Subject: Hello {{email}}\n\nGo to {{ link }}\n';
    await writeFile(join(mailTemplates, 'invitation.fr.txt'), text.replace('Hello', 'Bonjour'));
    await writeFile(
      join(mailTemplates, 'invitation.fr.html'),
      '<p title="{{email}}">{{email}}</p><a href="{{link}}">',
    );
    await writeFile(join(mailTemplates, 'invitation.en.txt'), text);
    const mailbox = await open();
    const app = await start({ smtpUrl: mailbox.url, mailTemplates });
    const address = `o'neil&co@example.org`;
    await invite(app, address, { locale: 'fr-CA' });
    const [french] = await mailbox.to(address);
    expect(french?.subject).toBe(`Bonjour ${address}`);
    expect(french?.html).toContain('<p title="o&#39;neil&amp;co@example.org">');
    await invite(app, 'plain@example.org', { locale: 'x\r\nBcc: evil@example.org' });
    const [english] = await mailbox.to('plain@example.org');
    expect([english?.subject, english?.html, english?.headers.has('bcc')]).toEqual([
      'Hello plain@example.org',
      false,
      false,
    ]);
  });

  it('that are wrong stop the start, with what is wrong', async () => {
    const mailTemplates = await folder();
    await writeFile(join(mailTemplates, 'invitation.en.txt'), 'Subject: x\n\n{{password}}');
    await writeFile(join(mailTemplates, 'reset-password.en.txt'), 'no subject');
    await writeFile(join(mailTemplates, 'odd.txt'), '');
    await expect(start({ mailTemplates })).rejects.toThrow(
      /invitation\.en has \{\{password\}\}[^]*odd\.txt is none[^]*reset-password\.en\.txt must begin/,
    );
  });
});

describe('every mail', () => {
  it('is in the documentation, with what it can say', async () => {
    const rows = (await readFile('docs/mail.md', 'utf8')).matchAll(
      /^\| (`[a-z`, -]+`) *\|.*\| ([a-z`, ]+) \|$/gm,
    );
    const words = (cell: string): string[] => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, word = '']) => word);
    const told = [...rows].flatMap(([, names = '', values = '']) =>
      words(names).map((name) => [name, words(values)] as const),
    );
    expect(Object.fromEntries(told)).toEqual(MAIL_VALUES);
  });

  it.each(Object.entries({ DE, EN }))('says in %s nothing but what it has', (_language, texts) => {
    for (const name of MAIL_NAMES) {
      const { subject, before, action, after } = texts[name];
      const known = new Set([...COMMON_VALUES, ...MAIL_VALUES[name]]);
      const said = placesOf([subject, ...before, action ?? '', ...after].join('\n'));
      expect([name, said.filter((place) => !known.has(place))]).toEqual([name, []]);
    }
  });
});

describe('the settings', () => {
  it.each([
    [{ PLINTH_SMTP_URL: 'http://mail.example.com' }, 'PLINTH_SMTP_URL'],
    [{ PLINTH_SMTP_URL: 'smtp://mail.example.com', PLINTH_MAIL_FROM: 'a@example.com' }, 'PLINTH_PUBLIC_URL'],
    [
      { PLINTH_SMTP_URL: 'smtp://mail.example.com', PLINTH_PUBLIC_URL: 'https://a.example' },
      'PLINTH_MAIL_FROM',
    ],
    [{ PLINTH_MAIL_FROM: 'a@example.com\r\nBcc: b@example.com' }, 'PLINTH_MAIL_FROM'],
    [{ PLINTH_MAIL_FROM: 'a@example.com, b@example.com' }, 'PLINTH_MAIL_FROM'],
    [{ PLINTH_RETURN_URLS: 'https://a.example/?x=1' }, 'PLINTH_RETURN_URLS'],
    [{ PLINTH_RETURN_URLS: 'javascript:alert(1)' }, 'PLINTH_RETURN_URLS'],
    [{ PLINTH_RETURN_URLS: '/account' }, 'PLINTH_RETURN_URLS'],
  ])('%j are refused', (environment, variable) => {
    expect(() => parseConfig(environment)).toThrow(variable);
  });
});
