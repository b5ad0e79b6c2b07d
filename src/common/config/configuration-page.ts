import type { Setting } from './setting.js';
import { memberVariable, type SettingFamily } from './setting-family.js';
import type { SettingTopic } from './settings.js';

const introduce = (secrets: readonly string[]): string => `# Configuration

<!-- Made by \`npm run docs:configuration\` from the settings in \`src/common/config\`; changes here are lost. -->

Plinth is configured by environment variables and by nothing else. They are checked at start; every mistake is told at
once, with the variable's name, and nothing starts. A variable that is empty counts as not set. A variable that begins
with \`PLINTH_\` and is none of these is a mistake, because it is nearly always a misspelt one. \`plinth config\` prints what
is in force, secrets masked, and \`plinth doctor\` says whether it can work.

A secret, such as \`DATABASE_URL\`, may stand in a file instead, as containers are given secrets: \`DATABASE_URL_FILE\`
then has the path of that file. This is so for ${secrets.join(', ')}.

Numbers are whole unless a range says otherwise. No setting can be changed while Plinth runs.
`;

/** How Prettier shall lay it out. */
export const PAGE_LAYOUT = { parser: 'markdown', proseWrap: 'always', printWidth: 120 } as const;

const COLUMNS = ['variable', 'default', 'takes', 'unit', 'example', 'meaning'];

/** The page about all settings, as Markdown. */
export function renderConfigurationPage(topics: readonly SettingTopic[]): string {
  const contents = topics.map(({ title }) => `- [${title}](#${anchorOf(title)})`);
  const secrets = topics
    .flatMap((topic) => Object.values(settingsOf(topic)))
    .filter(({ isSecret }) => isSecret)
    .map(({ variable }) => `\`${variable}\``);
  return [introduce(secrets), `${contents.join('\n')}\n`, ...topics.map(renderTopic)].join('\n');
}

const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\w ]/g, '')
    .replaceAll(' ', '-');

/** Of a family, with `<NAME>` for the name. */
const settingsOf = ({ settings, family }: SettingTopic): SettingTopic['settings'] =>
  family === undefined ? settings : placeholders(family);

const placeholders = ({ prefix, settings }: SettingFamily): SettingTopic['settings'] =>
  Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [
      key,
      { ...setting, variable: memberVariable(prefix, '<NAME>', setting.variable) },
    ]),
  );

function renderTopic(topic: SettingTopic): string {
  const { title, introduction } = topic;
  const rows = Object.values(settingsOf(topic)).map((setting) => renderRow(describe(setting)));
  const rule = renderRow(COLUMNS.map(() => '---'));
  return [`## ${title}\n`, `${introduction}\n`, renderRow(COLUMNS), rule, ...rows, ''].join('\n');
}

const describe = ({
  variable,
  defaultText,
  defaultValue,
  parse,
  example,
  description,
}: Setting<unknown>): readonly string[] => [
  `\`${variable}\``,
  defaultText ?? `\`${String(defaultValue)}\``,
  parse.takes,
  parse.unit ?? '',
  `\`${example}\``,
  description,
];

const renderRow = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
