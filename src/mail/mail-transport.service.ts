import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import type { SendMailOptions, Transporter } from 'nodemailer';
import { parseMailbox, PlinthConfig } from '../common/config/index.js';
import { Observer } from '../common/observability/index.js';
import { PermanentFailure } from '../jobs/index.js';

/** A mail that is ready to go. */
export interface ReadyMail {
  /** The same each time that it is tried, so that one that arrives twice can be known by it. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Empty for none. */
  readonly html: string;
}

const FOLDER = 'mail';
/** Strangers can have mails written; the oldest files make room. */
const MAX_FILES = 500;
const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;
const NOBODY = 'plinth@localhost';

/**
 * Sends mail: to a server, or where there is none into files that the operator reads. The library is loaded with the first
 * mail, since it takes memory and many servers never send one.
 */
@Injectable()
export class MailTransport {
  private server: Transporter | null = null;

  constructor(
    private readonly config: PlinthConfig,
    private readonly observer: Observer,
  ) {}

  /**
   * @throws PermanentFailure where the server will never take it, such as for a recipient that it does not know
   * @throws Error where it may next time
   */
  async send(mail: ReadyMail): Promise<void> {
    const from = parseMailbox(this.config.mailFrom ?? NOBODY);
    const message: SendMailOptions = {
      from,
      // An object, because a text could be read as several addresses.
      to: { name: '', address: mail.to },
      subject: mail.subject,
      text: mail.text,
      ...(mail.html === '' ? {} : { html: mail.html }),
      messageId: `<${mail.id}@${from.address.split('@').at(-1)}>`,
      // RFC 3834: an out-of-office note need not answer.
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    };
    const { smtpUrl } = this.config;
    if (smtpUrl === null) return this.file(mail, message);
    this.server ??= await connectTo(smtpUrl);
    await this.server.sendMail(message).catch((error: unknown) => Promise.reject(judge(error)));
  }

  private async file({ id }: ReadyMail, message: SendMailOptions): Promise<void> {
    const folder = path.resolve(this.config.dataDir, FOLDER);
    const { createTransport } = await import('nodemailer');
    const { message: content } = await createTransport({ streamTransport: true, buffer: true }).sendMail(
      message,
    );
    const file = path.join(folder, `${new Date().toISOString().replaceAll(':', '-')}-${id}.eml`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
      writeFileSync(file, content as Buffer, { mode: 0o600 });
      for (const name of listMails(folder).slice(0, -MAX_FILES))
        rmSync(path.join(folder, name), { force: true });
    } catch (error) {
      throw new Error(
        `There is no PLINTH_SMTP_URL, and mail cannot be kept in PLINTH_DATA_DIR: ${(error as Error).message}`,
        { cause: error },
      );
    }
    this.observer.observe({ kind: 'mail.filed', file });
  }
}

/** Oldest first. */
const listMails = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.eml'))
    .toSorted();

async function connectTo(address: string): Promise<Transporter> {
  const url = new URL(address);
  const secure = url.protocol.toLowerCase() === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const user = decodeURIComponent(url.username);
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    // Otherwise whoever sits in between could have the password by taking STARTTLS out of the server's answer.
    requireTLS: !secure && user !== '' && !/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host),
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  });
}

/** A 5xx to the recipient or to the mail itself does not change; one to who sends it is the operator's to mend. */
function judge(error: unknown): Error {
  const {
    responseCode = 0,
    command = '',
    message,
  } = error as Partial<{
    responseCode: number;
    command: string;
    message: string;
  }>;
  const isFinal = responseCode >= 500 && /^(RCPT TO|DATA)$/.test(command);
  const reason = message ?? String(error);
  return isFinal ? new PermanentFailure(reason, { cause: error }) : new Error(reason, { cause: error });
}
