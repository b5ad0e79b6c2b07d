import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../kit/app.js';
import { CHROMIUM, launchBrowser } from '../kit/browser.js';

if (CHROMIUM === null)
  console.warn('SKIPPED: Swagger UI in a browser; there is no Chromium on this machine.');

describe.skipIf(CHROMIUM === null)('Swagger UI in a browser', () => {
  let app: TestApp;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    app = await startTestApp({
      sql: `CREATE TABLE notes (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, text text NOT NULL);
            COMMENT ON TABLE notes IS 'Short texts. <img src=x onerror="window.hacked = true">';
            INSERT INTO notes (text) VALUES ('first');`,
    });
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${app.url}/docs`);
    await page.waitForSelector('button.authorize');
  });

  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  it('shows the public nothing of a collection without policies', async () => {
    expect(await page.locator('.opblock-tag', { hasText: 'notes' }).count()).toBe(0);
  });

  it('shows what a key may do as soon as it is authorized', async () => {
    await page.click('button.authorize');
    await page.locator('.auth-container input').first().fill(app.adminKey);
    await page.locator('.auth-btn-wrapper button.authorize').first().click();
    await page.click('.btn-done');
    await page.waitForSelector('.opblock-tag:has-text("notes")');
  });

  it('sends a request with the key and shows the answer', async () => {
    const tag = page.locator('.opblock-tag-section', { has: page.locator('.opblock-tag:has-text("notes")') });
    if ((await tag.locator('.opblock').count()) === 0) await tag.locator('.opblock-tag').click();
    const list = tag.locator('.opblock-get', { hasText: 'List' }).first();
    await list.locator('.opblock-summary-control').click();
    await list.locator('button.try-out__btn').click();
    await list.locator('button.execute').click();
    const live = list.locator('.live-responses-table');
    await live.waitFor();
    expect(await live.locator('.response-col_status').nth(1).textContent()).toContain('200');
    expect(await live.textContent()).toContain('first');
  });

  it('fits a telephone, with an answer open', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });

  it('takes the colours that the system has', async () => {
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await background();
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(background).not.toBe(light);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(background).toBe(light);
  });

  it('runs nothing that a comment in the database brings along, and breaks none of its own rules', async () => {
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(complaints).toEqual([]);
  });
});
