// Writes docs/configuration.md from the settings: npm run docs:configuration
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format } from 'prettier';
import { ensureBuilt, ROOT } from './build.mjs';

await ensureBuilt({ quiet: true });
const { PAGE_LAYOUT, renderConfigurationPage } = await import('../dist/common/config/configuration-page.js');
const { SETTING_TOPICS } = await import('../dist/common/config/settings.js');

const page = path.join(ROOT, 'docs', 'configuration.md');
const text = renderConfigurationPage(SETTING_TOPICS);
await writeFile(page, await format(text, PAGE_LAYOUT));
