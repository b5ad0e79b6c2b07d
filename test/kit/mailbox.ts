import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail server that keeps what it is sent. */
export interface Mailbox {
  readonly url: string;
  readonly mails: ParsedMail[];
  /** The mails to an address, once there are so many. */
  to(address: string, count?: number): Promise<readonly ParsedMail[]>;
  close(): Promise<void>;
}

const DEADLINE_MS = 15_000;

export interface MailboxOptions {
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  /** Addresses that it does not know. */
  readonly unknown?: readonly string[];
}

export async function openMailbox(options: MailboxOptions = {}): Promise<Mailbox> {
  const mails: ParsedMail[] = [];
  const { user, password, unknown = [] } = options;
  const server = new SMTPServer({
    disabledCommands: user === undefined ? ['AUTH', 'STARTTLS'] : ['STARTTLS'],
    authOptional: user === undefined,
    allowInsecureAuth: true,
    onAuth(auth, _session, done) {
      if (auth.username === user && auth.password === password) done(null, { user });
      else done(new Error('Wrong user or password'));
    },
    onRcptTo({ address }, _session, done) {
      done(
        unknown.includes(address) ? Object.assign(new Error('No such user'), { responseCode: 550 }) : null,
      );
    },
    onData(stream, _session, done) {
      simpleParser(stream, (error: Error | null, mail: ParsedMail) => {
        if (!error) mails.push(mail);
        done(error);
      });
    },
  } satisfies SMTPServerOptions);
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const credential = user === undefined ? '' : `${user}:${encodeURIComponent(password ?? '')}@`;
  const to = (address: string): ParsedMail[] => mails.filter((mail) => addressesOf(mail).includes(address));
  return {
    url: `smtp://${credential}127.0.0.1:${port}`,
    mails,
    async to(address, count = 1) {
      const deadline = Date.now() + DEADLINE_MS;
      while (to(address).length < count) {
        if (Date.now() > deadline)
          throw new Error(`${to(address).length} of ${count} mails came to ${address}`);
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
      }
      return to(address);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export const addressesOf = ({ to }: ParsedMail): readonly string[] =>
  (Array.isArray(to) ? to : to === undefined ? [] : [to]).flatMap(({ value }) =>
    value.map(({ address }) => address ?? ''),
  );

/** The link in a mail, which its text and its HTML have alike. */
export function linkIn({ text = '', html }: ParsedMail): URL {
  const [link = ''] = /https?:\/\/\S+/.exec(text) ?? [];
  if (typeof html === 'string' && !html.includes(`href="${link}"`))
    throw new Error(`The HTML has no link ${link}`);
  return new URL(link);
}

export const tokenIn = (mail: ParsedMail): string =>
  new URLSearchParams(linkIn(mail).hash.slice(1)).get('token') ?? '';

export const codeIn = ({ subject = '' }: ParsedMail): string => /\d{6}/.exec(subject)?.[0] ?? '';
