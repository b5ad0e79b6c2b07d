import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import { PlinthConfig } from '../common/config/index.js';
import { composeTemplate, placesOf, type MailTemplate } from './render-text.js';
import { DE } from './texts/de.js';
import { EN } from './texts/en.js';
import { COMMON_VALUES, MAIL_NAMES, MAIL_VALUES, type MailName, type MailTexts } from './texts/mail-text.js';

const FALLBACK = 'en';
const SHIPPED: Readonly<Record<string, MailTexts>> = { en: EN, de: DE };

const FILE = /^([a-z-]+)\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.(txt|html)$/;
const SUBJECT = /^Subject: *([^\r\n]+)\r?\n\r?\n/;
/** A header of `Accept-Language`; what is longer is nobody's. */
const MAX_LANGUAGES = 20;

/**
 * The texts of mails by name and language: those that come with Plinth, and before them the files of the operator's folder,
 * `verify-email.en.txt` with its subject in the first line, and `verify-email.en.html`. Read once, at the start.
 */
@Injectable()
export class MailTemplates {
  /** By `<name>.<locale>`, in lower case. */
  private readonly templates = new Map<string, MailTemplate>();
  private readonly locales = new Set<string>();

  /** @throws Error that lists what is wrong in the operator's folder */
  constructor({ mailTemplates: folder }: PlinthConfig) {
    for (const [locale, texts] of Object.entries(SHIPPED)) {
      for (const name of MAIL_NAMES) this.add(name, locale, composeTemplate(texts[name], locale));
    }
    if (folder !== null) this.readFolder(path.resolve(folder));
  }

  get(name: MailName, locale: string): MailTemplate {
    const found = this.templates.get(`${name}.${locale}`) ?? this.templates.get(`${name}.${FALLBACK}`);
    if (found === undefined) throw new Error(`There is no text of the mail "${name}".`);
    return found;
  }

  /**
   * The language to write in, of those that there are texts in.
   * @param preferred a language tag that the user has chosen; anything else counts as none
   * @param accepted as `Accept-Language` has it
   */
  choose(preferred: unknown, accepted: string): string {
    const wanted = [...(typeof preferred === 'string' ? [preferred] : []), ...readLanguages(accepted)];
    for (const tag of wanted.map((text) => text.toLowerCase())) {
      if (this.locales.has(tag)) return tag;
      const [language = ''] = tag.split('-');
      if (this.locales.has(language)) return language;
    }
    return FALLBACK;
  }

  private add(name: MailName, locale: string, template: MailTemplate): void {
    this.locales.add(locale.toLowerCase());
    this.templates.set(`${name}.${locale.toLowerCase()}`, template);
  }

  private readFolder(folder: string): void {
    const mistakes: string[] = [];
    for (const file of readdirSync(folder).toSorted()) {
      const [, name, locale = ''] = FILE.exec(file) ?? [];
      const known = MAIL_NAMES.find((candidate) => candidate === name);
      if (known === undefined) mistakes.push(`${file} is none; such as verify-email.en.txt`);
      else if (file.endsWith('.txt')) mistakes.push(...this.readMail(folder, known, locale));
      else if (!readdirSync(folder).includes(file.replace(/html$/, 'txt')))
        mistakes.push(`${file} needs a file .txt beside it`);
    }
    if (mistakes.length > 0) {
      throw new Error(['PLINTH_MAIL_TEMPLATES has mistakes:', ...mistakes].join('\n  '));
    }
  }

  /** Without a file .html, the mail has no HTML. */
  private readMail(folder: string, name: MailName, locale: string): readonly string[] {
    const start = path.join(folder, `${name}.${locale}`);
    const content = readFileSync(`${start}.txt`, 'utf8');
    const [head = '', subject] = SUBJECT.exec(content) ?? [];
    if (subject === undefined)
      return [`${name}.${locale}.txt must begin with "Subject: ..." and an empty line`];
    const html = readIfThere(`${start}.html`);
    const template = { subject, text: content.slice(head.length), html };
    const known = new Set([...COMMON_VALUES, ...MAIL_VALUES[name]]);
    const unknown = [subject, template.text, html].flatMap(placesOf).filter((place) => !known.has(place));
    if (unknown.length > 0) {
      return [`${name}.${locale} has {{${unknown[0]}}}; it can say ${[...known].join(', ')}`];
    }
    this.add(name, locale, template);
    return [];
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Language tags in the order of their weight. */
function readLanguages(header: string): readonly string[] {
  return header
    .split(',', MAX_LANGUAGES)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';');
      const weight = parameters.map((text) => /^\s*q=([\d.]{1,6})\s*$/.exec(text)?.[1]).find(Boolean);
      return { tag: tag.trim(), weight: Number(weight ?? 1) };
    })
    .filter(({ tag, weight }) => tag !== '' && weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}
