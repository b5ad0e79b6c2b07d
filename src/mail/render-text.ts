import type { MailText } from './texts/mail-text.js';

/** The three parts of a mail, with `{{name}}` where values go. */
export interface MailTemplate {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type MailValues = Readonly<Record<string, string>>;

const PLACE = /\{\{\s*([a-z]+)\s*\}\}/g;
/** Whatever ends a line, in any of the ways that something may read it. */
const BREAKS = /[\p{Cc}\u2028\u2029]+/gu;

/** The names in a template. */
export const placesOf = (template: string): readonly string[] =>
  [...template.matchAll(PLACE)].map(([, name = '']) => name);

/** Each value is put in once; what looks like a place in a value stays text. */
const fill = (template: string, values: MailValues, encode: (value: string) => string): string =>
  template.replace(PLACE, (_place, name: string) => encode(values[name] ?? ''));

const oneLine = (text: string): string => text.replaceAll(BREAKS, ' ').trim();

/** Fills a template: in HTML values are escaped, and a subject is one line, so no value becomes markup or a header. */
export const renderMail = ({ subject, text, html }: MailTemplate, values: MailValues): MailTemplate => ({
  subject: oneLine(fill(subject, values, oneLine)),
  text: fill(text, values, oneLine),
  html: fill(html, values, (value) => escapeHtml(oneLine(value))),
});

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

/** The template of a text that comes with Plinth. */
export function composeTemplate({ subject, before, action, after }: MailText, locale: string): MailTemplate {
  const link = action === undefined ? [] : ['{{link}}'];
  const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;
  const button =
    action === undefined
      ? []
      : [
          `<p><a href="{{link}}" style="display:inline-block;padding:10px 16px;background:#1f4fd8;color:#fff;` +
            `text-decoration:none;border-radius:4px">${escapeHtml(action)}</a></p>`,
          '<p style="font-size:12px;color:#666;word-break:break-all">{{link}}</p>',
        ];
  return {
    subject,
    text: `${[...before, ...link, ...after].join('\n\n')}\n`,
    html: [
      `<!doctype html><html lang="${locale}"><head><meta charset="utf-8"></head>`,
      '<body style="font:16px/1.5 system-ui,sans-serif;color:#222;max-width:32em;margin:0 auto;padding:16px">',
      ...before.map(paragraph),
      ...button,
      ...after.map(paragraph),
      '</body></html>\n',
    ].join('\n'),
  };
}
