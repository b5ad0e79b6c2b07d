export { MailModule } from './mail.module.js';
export { Mails } from './mails.service.js';
