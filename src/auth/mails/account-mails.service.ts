import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Jobs } from '../../jobs/index.js';
import { AccountMail, type AccountMailPayload, type MailOccasion } from './account-mail.job.js';

type MailSubject = Partial<Omit<AccountMailPayload, 'occasion'>>;

/** Writes to users about their accounts, in the background. */
@Injectable()
export class AccountMails {
  constructor(private readonly jobs: Jobs) {}

  /**
   * @param subject whom: a user, or whoever has the address
   * @param manager of the transaction without whose commit nothing is written
   */
  async write(
    occasion: MailOccasion,
    { userId = null, email = null, languages = '', returnTo = null, about = null }: MailSubject,
    manager: EntityManager,
  ): Promise<void> {
    const payload = { occasion, userId, email, languages, returnTo, about };
    await this.jobs.enqueue(AccountMail, payload, {}, manager);
  }
}
