import { filePath, flag, parser, setting } from './setting.js';

const ADDRESS = /^[^\s@<>",;:]{1,64}@[^\s@<>",;:]{1,189}$/;
const NAMED = /^([^\p{Cc}<>"]{1,100}?)\s*<([^<>]+)>$/u;

/** Who mails are from. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

function readMailbox(text: string): Mailbox | null {
  const [, name = '', address = text] = NAMED.exec(text) ?? [];
  return ADDRESS.test(address) ? { name, address } : null;
}

/** How mail leaves, and what it leads to. */
export const MAIL_SETTINGS = {
  smtpUrl: setting<string | null>({
    variable: 'PLINTH_SMTP_URL',
    description:
      'The mail server, smtps:// with TLS from the beginning or smtp:// with STARTTLS where it has that; needs PLINTH_MAIL_FROM and PLINTH_PUBLIC_URL.',
    defaultText: 'files in the data folder',
    defaultValue: null,
    isSecret: true,
    example: 'smtps://shop:secret@mail.example.com:465',
    parse: parser<string>('an address `smtp://...` or `smtps://...`', (text) =>
      /^smtps?:\/\/[^/?#]+\/?$/i.test(text) && URL.canParse(text) && new URL(text).hostname !== ''
        ? { value: text }
        : { mistake: 'must be an address such as smtps://user:password@mail.example.com:465' },
    ),
  }),
  mailFrom: setting<string | null>({
    variable: 'PLINTH_MAIL_FROM',
    description: 'Whom mails are from: an address, or a name with an address between angle brackets.',
    defaultText: 'plinth@localhost',
    defaultValue: null,
    example: 'Example Shop <accounts@example.com>',
    parse: parser<string>('a mail address, or `Name <address>`', (text) =>
      readMailbox(text) === null
        ? { mistake: 'must be an address such as accounts@example.com, or Shop <accounts@example.com>' }
        : { value: text },
    ),
  }),
  mailTemplates: setting<string | null>({
    variable: 'PLINTH_MAIL_TEMPLATES',
    description: 'A folder with texts of mails that take the place of those that come with Plinth.',
    defaultText: 'none',
    defaultValue: null,
    example: '/etc/plinth/mails',
    parse: filePath,
  }),
  isEmailCodeOn: setting({
    variable: 'PLINTH_EMAIL_CODES',
    description: 'Whether people can sign in with a code or a link that is mailed to them.',
    defaultValue: true,
    example: 'false',
    parse: flag,
  }),
  isPasswordResetOn: setting({
    variable: 'PLINTH_PASSWORD_RESET',
    description: 'Whether people can set a new password with a link that is mailed to them.',
    defaultValue: true,
    example: 'false',
    parse: flag,
  }),
} as const;

/** The parts of a `PLINTH_MAIL_FROM` that was found good. */
export const parseMailbox = (text: string): Mailbox => readMailbox(text) ?? { name: '', address: text };
