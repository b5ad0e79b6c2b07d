import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Jobs, type JobTransaction } from '../jobs/index.js';
import { MailTemplates } from './mail-templates.js';
import { SendMail } from './send-mail.job.js';
import type { MailName } from './texts/mail-text.js';

export interface Mail {
  readonly mail: MailName;
  /** An address that was checked. */
  readonly to: string;
  /** As `chooseLocale` gives it. */
  readonly locale: string;
  /** What the text says, by the names of `MAIL_VALUES`. */
  readonly values: Readonly<Record<string, string>>;
}

/** Sends mail in the background. */
@Injectable()
export class Mails {
  constructor(
    private readonly jobs: Jobs,
    private readonly templates: MailTemplates,
  ) {}

  /** @param transaction without its commit, nothing is sent */
  async send({ mail, to, locale, values }: Mail, transaction: JobTransaction): Promise<void> {
    await this.jobs.enqueue(
      SendMail,
      { id: randomUUID(), mail, to, locale, values: { ...values } },
      {},
      transaction,
    );
  }

  /**
   * @param preferred a language tag that the user has chosen; anything else counts as none
   * @param accepted as `Accept-Language` has it
   */
  chooseLocale(preferred: unknown, accepted: string): string {
    return this.templates.choose(preferred, accepted);
  }
}
