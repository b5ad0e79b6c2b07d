import { readFileSync } from 'node:fs';

/** A fenced block of a Markdown page. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

/** A row of a table whose header has the columns asked for; cells by column name, code quotes kept. */
export interface TableRow {
  readonly cells: Readonly<Record<string, string>>;
  readonly line: number;
}

/** One command of a page, with what the page says is answered. */
export interface ShellExample {
  readonly command: readonly string[];
  /** Variables set in front of the command. */
  readonly environment: Readonly<Record<string, string>>;
  readonly line: number;
  /** Blocks right behind the command's: `http`, `json` or `text`; only the last command of a block has them. */
  readonly answers: readonly CodeBlock[];
}

export interface CurlRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export class MarkdownPage {
  readonly blocks: readonly CodeBlock[];
  private readonly lines: readonly string[];

  constructor(path: string) {
    this.lines = readFileSync(path, 'utf8').split('\n');
    this.blocks = readBlocks(this.lines);
  }

  /** The rows of every table that has exactly these columns. */
  tableRows(...columns: readonly string[]): readonly TableRow[] {
    const rows: TableRow[] = [];
    let isWanted = false;
    this.lines.forEach((line, index) => {
      if (!line.startsWith('|')) {
        isWanted = false;
        return;
      }
      const cells = splitCells(line);
      const isHeader = /^\|[\s|:-]+$/.test(this.lines[index + 1] ?? '');
      if (isHeader)
        isWanted = cells.length === columns.length && cells.every((cell, at) => cell === columns[at]);
      else if (isWanted && !/^\|[\s|:-]+$/.test(line)) {
        rows.push({
          cells: Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? ''])),
          line: index + 1,
        });
      }
    });
    return rows;
  }

  /** The commands of all `sh` blocks, in their order, each with the answers that the page shows. */
  shellExamples(): readonly ShellExample[] {
    return this.blocks.flatMap((block, index) => {
      if (block.language !== 'sh') return [];
      const commands = splitCommands(block.text);
      const answers: CodeBlock[] = [];
      for (const next of this.blocks.slice(index + 1)) {
        if (!['http', 'json', 'text'].includes(next.language)) break;
        answers.push(next);
      }
      return commands.map((words, at) => {
        const split = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
        const assignments = split === -1 ? words : words.slice(0, split);
        return {
          command: split === -1 ? [] : words.slice(split),
          environment: Object.fromEntries(assignments.map((word) => splitOnce(word, '='))),
          line: block.line,
          answers: at === commands.length - 1 ? answers : [],
        };
      });
    });
  }
}

/** The text of a cell or line that is wholly in code quotes. */
export const unquoteCode = (cell: string): string =>
  cell.replace(/^(`+) ?(.*?) ?\1$/, '$2').replaceAll(String.raw`\|`, '|');

function readBlocks(lines: readonly string[]): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { language: string; line: number; text: string[] } | null = null;
  lines.forEach((line, index) => {
    const fence = /^```(\w*)$/.exec(line);
    if (open !== null && line === '```') {
      blocks.push({ ...open, text: open.text.join('\n') });
      open = null;
    } else if (open !== null) open.text.push(line);
    else if (fence) open = { language: fence[1] ?? '', line: index + 1, text: [] };
  });
  return blocks;
}

const splitCells = (line: string): readonly string[] =>
  line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/**
 * Words of each command of a POSIX shell text, as far as the pages use one: quotes, continued lines, comments.
 * Variables stay, marked with the character U+0001 where they are to be replaced, since single quotes keep them.
 */
function splitCommands(text: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  let word: string | null = null;
  let quote = '';
  const endWord = (): void => {
    if (word !== null) commands.at(-1)?.push(word);
    word = null;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === "'") {
      if (character === "'") quote = '';
      else word += character;
    } else if (character === '\\') {
      at += 1;
      if (text[at] !== '\n') word = (word ?? '') + text.charAt(at);
    } else if (character === '$') word = (word ?? '') + VARIABLE_MARK;
    else if (quote === '"') {
      if (character === '"') quote = '';
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (character === '#' && word === null) {
      at = text.indexOf('\n', at);
      if (at === -1) break;
      at -= 1;
    } else if (character === '\n') {
      endWord();
      commands.push([]);
    } else if (character === ' ') endWord();
    else word = (word ?? '') + character;
  }
  endWord();
  if (quote !== '') throw new Error(`A quote is not closed in: ${text}`);
  return commands.filter((words) => words.length > 0);
}

const VARIABLE_MARK = '\u0001';
const MARKED_VARIABLE = new RegExp(`${VARIABLE_MARK}([A-Z_]+)`, 'g');

/** A word with its variables replaced, as a shell would. */
export const expandVariables = (word: string, variables: ReadonlyMap<string, string>): string =>
  word.replace(MARKED_VARIABLE, (_match, name: string) => {
    const value = variables.get(name);
    if (value === undefined) throw new Error(`The variable $${name} is not set`);
    return value;
  });

/** The request that a `curl` command makes. Options that the pages do not use are refused. */
export function parseCurl(words: readonly string[]): CurlRequest {
  const [program, ...rest] = words;
  if (program !== 'curl') throw new Error(`This is no curl command: ${words.join(' ')}`);
  const headers: Record<string, string> = {};
  const query: string[] = [];
  const data: string[] = [];
  let method: string | undefined;
  let url: string | undefined;
  let isGet = false;
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? '';
    const value = (): string => {
      at += 1;
      const next = rest[at];
      if (next === undefined) throw new Error(`${word} needs a value`);
      return next;
    };
    if (/^-[siSG]+$/.test(word)) isGet ||= word.includes('G');
    else if (word === '-X') method = value();
    else if (word === '-d') data.push(value());
    else if (word === '--data-urlencode') {
      const [name, text] = splitOnce(value(), '=');
      query.push(`${name}=${encodeURIComponent(text)}`);
    } else if (word === '-H') {
      const [name, text] = splitOnce(value(), ':');
      headers[name.toLowerCase()] = text.trim();
    } else if (word.startsWith('-')) throw new Error(`The option ${word} of curl is not known here`);
    else url = word;
  }
  if (url === undefined) throw new Error('There is no address');
  // With -G all data are parameters, as they were written; without it they are the body.
  const parameters = isGet ? [...data, ...query] : query;
  if (query.length > 0 && !isGet) throw new Error('--data-urlencode without -G is a body');
  const body = isGet ? undefined : data.at(0);
  const mark = url.includes('?') ? '&' : '?';
  const address = parameters.length === 0 ? url : url + mark + parameters.join('&');
  return { method: method ?? (body === undefined ? 'GET' : 'POST'), url: address, headers, body };
}

const ANYTHING = '...';
const CAPTURE = /^\$([A-Z_]+)$/;

/**
 * How an answer differs from what a page shows of it; empty where it does not. In the page, `...` stands for what is
 * left out: as a text for any value, at the end of a list for further elements, as a member's name for further members,
 * inside a text for any characters. A text such as `$NEXT` stands for any value too, which is kept under that name.
 */
export function compareJson(
  shown: unknown,
  actual: unknown,
  variables: Map<string, string>,
  path = '',
): readonly string[] {
  if (typeof shown === 'string') return compareText(shown, actual, variables, path || '/');
  if (Array.isArray(shown)) {
    if (!Array.isArray(actual)) return [`${path || '/'} is ${JSON.stringify(actual)}, not a list`];
    const isOpen = shown.at(-1) === ANYTHING;
    const wanted: readonly unknown[] = isOpen ? shown.slice(0, -1) : shown;
    const isCount = isOpen ? actual.length > wanted.length : actual.length === wanted.length;
    return [
      ...(isCount ? [] : [`${path || '/'} has ${actual.length} elements`]),
      ...wanted.flatMap((value, at) => compareJson(value, actual[at], variables, `${path}/${at}`)),
    ];
  }
  if (typeof shown === 'object' && shown !== null) {
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) {
      return [`${path || '/'} is ${JSON.stringify(actual)}, not an object`];
    }
    const found = new Map<string, unknown>(Object.entries(actual));
    const wanted = Object.entries(shown).filter(([name]) => name !== ANYTHING);
    const isOpen = ANYTHING in shown;
    const names = new Set(wanted.map(([name]) => name));
    const left = [...found.keys()].filter((name) => !names.has(name));
    return [
      ...(isOpen || left.length === 0 ? [] : [`${path || '/'} has also ${left.join(', ')}`]),
      ...(isOpen && left.length === 0 ? [`${path || '/'} has nothing that "..." could stand for`] : []),
      ...wanted.flatMap(([name, value]) =>
        found.has(name)
          ? compareJson(value, found.get(name), variables, `${path}/${name}`)
          : [`${path}/${name} is missing`],
      ),
    ];
  }
  return Object.is(shown, actual) ? [] : [`${path || '/'} is ${JSON.stringify(actual)}`];
}

function compareText(
  shown: string,
  actual: unknown,
  variables: Map<string, string>,
  path: string,
): readonly string[] {
  const capture = CAPTURE.exec(shown)?.[1];
  if (capture !== undefined && (typeof actual === 'string' || typeof actual === 'number')) {
    variables.set(capture, String(actual));
    return [];
  }
  const isEqual = shown === ANYTHING || (typeof actual === 'string' && textPattern(shown).test(actual));
  return isEqual ? [] : [`${path} is ${JSON.stringify(actual)}`];
}

const textPattern = (shown: string): RegExp =>
  new RegExp(`^${shown.split(ANYTHING).map(escapePattern).join('.*')}$`, 's');

const escapePattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

/** How a printed text differs from what a page shows of it: line by line, a line `...` stands for any lines. */
export function compareLines(shown: string, actual: string): readonly string[] {
  const pattern = shown
    .trimEnd()
    .split('\n')
    .map((line) => (line === ANYTHING ? String.raw`(?:[^\n]*\n)*?` : `${linePattern(line)}\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${actual.trimEnd()}\n`) ? [] : [`it is\n${actual}`];
}

const linePattern = (line: string): string =>
  line
    .split(ANYTHING)
    .map(escapePattern)
    .join(String.raw`[^\n]*`);

/** How the status and the headers differ from what an `http` block shows: the first line, and the headers in it. */
export function compareHead(
  shown: string,
  status: number,
  headers: Headers,
  variables: Map<string, string>,
): readonly string[] {
  const [first = '', ...lines] = shown.split('\n');
  const wanted = Number(/^HTTP\/1\.1 (\d{3})\b/.exec(first)?.[1]);
  const faults = wanted === status ? [] : [`the status is ${status}`];
  return [
    ...faults,
    ...lines
      .filter((line) => line !== '')
      .flatMap((line) => {
        const [name, text] = splitOnce(line, ':');
        return compareText(text.trim(), headers.get(name) ?? null, variables, `the header ${name}`);
      }),
  ];
}
