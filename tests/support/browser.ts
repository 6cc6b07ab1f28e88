/** browser — a real Chromium for the tests that look at a page, and the pictures they keep. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { describe, inject } from 'vitest';
import type { BrowserOffer } from './global-setup.ts';

export type { Browser, BrowserContext, Page } from 'playwright-core';

const SCREENSHOTS = fileURLToPath(new URL('../../artifacts/screenshots/', import.meta.url));

/** For root, for containers with a small /dev/shm, and for a network that leads nowhere: no call home, no QUIC. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

/** `describe` for what needs a browser: counted as skipped, with the reason in its name, where there is none. */
export function describeBrowser(name: string, body: () => void): void {
  const found = offer();
  if (found.available) describe(name, body);
  else describe.skip(`${name} (skipped, no browser: ${found.reason})`, body);
}

/**
 * Headless, with a profile of its own that is removed when it closes. One a file, in `beforeAll`; a fresh
 * `browser.newContext()` for each test keeps cookies and storage apart.
 */
export async function launchBrowser(): Promise<Browser> {
  const found = offer();
  if (!found.available) throw new Error(`no browser here: ${found.reason}`);
  const { path, env } = found.value;
  return chromium.launch({
    executablePath: path,
    args: FLAGS,
    headless: true,
    env: { ...defined(process.env), ...env },
  });
}

/**
 * Keeps a picture of the page as `artifacts/screenshots/<name>.png`, which git ignores and CI may collect.
 *
 * @param name Kebab case; the same name replaces the earlier picture.
 * @returns the file's path.
 */
export async function screenshot(page: Page, name: string, { fullPage = false } = {}): Promise<string> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const path = join(SCREENSHOTS, `${name}.png`);
  await page.screenshot({ path, fullPage, animations: 'disabled' });
  return path;
}

function defined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

function offer(): BrowserOffer {
  const found: BrowserOffer | undefined = inject('browser');
  if (!found) throw new Error('only tests/e2e has a browser: move the test there');
  return found;
}
