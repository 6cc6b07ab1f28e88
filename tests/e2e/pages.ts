/** pages — what the tests of pages share: opening one at a fixed hour, reading a meter, and axe. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'vitest';
import { afterUse } from '../support/after-use.ts';
import type { Browser, BrowserContext, Page } from '../support/browser.ts';

/** When the pages of the tests are looked at; the gateway's clock starts then, too. */
export const NOW = '2026-03-15T12:00:00Z';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export type Opened = { readonly page: Page; readonly context: BrowserContext; readonly problems: string[] };

/** A fresh profile and page. Whatever the page complains of is in `problems`, but for connections it could not have. */
export async function openPage(browser: Browser, url: string, { width = 800, height = 700 } = {}): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: 2,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  afterUse(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() !== 'error' || /WebSocket connection|Failed to load resource|net::ERR/.test(message.text()))
      return;
    problems.push(message.text());
  });
  await page.clock.setFixedTime(NOW);
  await page.goto(url);
  return { page, context, problems };
}

/** Nothing that axe knows to be wrong, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResult> } }; // what the script has just put there
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
    });
    expect(found, colorScheme).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

type AxeResult = { violations: { id: string; nodes: { html: string }[] }[] };

/** Waits until this is so; says what was there instead when it does not come. */
export const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 15_000, interval: 25 });
