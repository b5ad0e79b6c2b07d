import { Injectable } from '@nestjs/common';
import { IsEmail, IsIn, IsObject, IsString, IsUUID, MaxLength } from 'class-validator';
import { PlinthConfig } from '../common/config/index.js';
import { JobDefinition } from '../jobs/index.js';
import { MailTemplates } from './mail-templates.js';
import { MailTransport } from './mail-transport.service.js';
import { renderMail } from './render-text.js';
import { MAIL_NAMES, type MailName } from './texts/mail-text.js';

export class MailPayload {
  @IsUUID()
  id: string;

  @IsIn(MAIL_NAMES)
  mail: MailName;

  @IsEmail()
  @MaxLength(254)
  to: string;

  @IsString()
  @MaxLength(40)
  locale: string;

  @IsObject()
  values: Record<string, string>;
}

/** Sends one mail. What it says holds tokens, so the payload is sealed. */
@Injectable()
export class SendMail extends JobDefinition<MailPayload> {
  readonly name = 'mail.send';
  readonly payload = MailPayload;
  override readonly isSealed = true;

  constructor(
    private readonly templates: MailTemplates,
    private readonly transport: MailTransport,
    private readonly config: PlinthConfig,
  ) {
    super();
  }

  override async run({ id, mail, to, locale, values }: MailPayload): Promise<void> {
    const { publicUrl } = this.config;
    const site = publicUrl === null ? 'Plinth' : new URL(publicUrl).host;
    const rendered = renderMail(this.templates.get(mail, locale), { site, email: to, ...values });
    await this.transport.send({ id, to, ...rendered });
  }
}
