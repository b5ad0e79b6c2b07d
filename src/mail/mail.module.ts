import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/index.js';
import { MailTemplates } from './mail-templates.js';
import { MailTransport } from './mail-transport.service.js';
import { Mails } from './mails.service.js';
import { SendMail } from './send-mail.job.js';

/** Mail, as a job: to a mail server, or into files. */
@Module({
  imports: [JobsModule],
  providers: [Mails, MailTemplates, MailTransport, SendMail],
  exports: [Mails],
})
export class MailModule {}
