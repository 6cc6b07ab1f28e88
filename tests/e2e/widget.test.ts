/**
 * Goal: a meter on somebody's page moves while the app counts, shows each alert once, and is right again after the
 * connection was lost, and after its token has run out. Method: a page on another origin in a real browser, as the
 * README says it is made, and a line to the gateway that can be cut.
 */
import '../support/built.ts';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { type Line, openLine } from '../realtime/line.ts';
import { consume, openRig, type Rig, register, tokenOf } from '../realtime/rig.ts';
import { type Browser, describeBrowser, launchBrowser, type Page, screenshot } from '../support/browser.ts';
import { ManualClock } from '../support/clock.ts';
import { type HostSite, hostPage, openHostSite } from './host-site.ts';
import { eventually, expectAccessible, NOW, openPage } from './pages.ts';

const CONFIG = defineConfig({
  features: {
    api_calls: { displayName: 'API calls', unit: 'call', reset: 'monthly', limit: 1_000 },
    storage: { displayName: 'Storage', unit: 'GB', reset: 'never', minLimit: 0, limit: 100 },
  },
  plans: { pro: { features: { api_calls: {}, storage: {} } } },
});

const README_PICTURE = fileURLToPath(new URL('../../docs/images/meter.png', import.meta.url));

type Scene = { readonly rig: Rig; readonly line: Line; readonly site: HostSite };

/** An app with one customer, who has used 312 of 1,000 calls and 41.5 of 100 GB. */
async function openScene(): Promise<Scene> {
  let rig: Rig | undefined;
  let line: Line | undefined;
  const site = await openHostSite({
    getToken: () => (rig ? tokenOf(rig, 'acme', { ttlSeconds: 60 }) : Promise.reject(new Error('too early'))),
    pageOf: () => hostPage(line?.url ?? ''),
  });
  rig = await openRig({ config: CONFIG, corsOrigins: [site.url] }, new ManualClock(NOW));
  line = await openLine(rig.url);
  await register(rig, 'acme');
  await consume(rig, 'acme', 'api_calls', { amount: 312 });
  await consume(rig, 'acme', 'storage', { amount: '41.5' });
  return { rig, line, site };
}

const meter = (page: Page, feature = 'api_calls') => page.locator(`usage-meter[feature=${feature}]`);

/** What a reader sees: the number, what the bar says to assistive software, and how much of it is filled. */
async function shown(page: Page, feature?: string): Promise<string> {
  const card = meter(page, feature);
  const number = await card.locator('[part=used]').textContent();
  const bar = card.getByRole('meter');
  const fill = await card.locator('.fill[part=fill]').evaluate((element) => element.style.inlineSize);
  return `${number} | ${await bar.getAttribute('aria-valuenow')} | ${fill}`;
}

const alerts = async (page: Page): Promise<string[]> =>
  (await meter(page).locator('[part=alert] .alert-text').allTextContents()).map(plain);
/** Numbers hold on to their units by spaces that don't break; a reader sees none of that. */
const plain = (text: string | null): string => (text ?? '').replaceAll('\u00a0', ' ');
const status = (page: Page) => meter(page).locator('[part=status]').textContent();

describeBrowser('a meter on a page of another origin', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  it('moves while it happens, shows each alert once, and survives what happens to connections and tokens', async () => {
    const { rig, line, site } = await openScene();
    const { page, context, problems } = await openPage(browser, site.url);
    await eventually(() => shown(page)).toBe('312 | 312 | 31.2%');
    await eventually(() => shown(page, 'storage')).toBe('41.5 | 41.5 | 41.5%');
    expect(await status(page)).toBe('Live');
    expect(plain(await meter(page).getByRole('meter').getAttribute('aria-valuetext'))).toBe('312 of 1,000 calls, 31%');
    expect(site.tokensAsked).toBe(1); // two meters, one connection
    await screenshot(page, 'widget-calm');
    await expectAccessible(page);

    await consume(rig, 'acme', 'api_calls', { amount: 488 });
    await eventually(() => shown(page)).toBe('800 | 800 | 80%');
    await eventually(() => alerts(page)).toEqual(['80% of 1,000 calls used']);
    await consume(rig, 'acme', 'api_calls', { amount: 40 });
    await eventually(() => shown(page)).toBe('840 | 840 | 84%');
    expect(await alerts(page)).toHaveLength(1);
    await keepReadmePicture(page);
    await screenshot(page, 'widget-alert');
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'widget-alert-dark');
    await page.emulateMedia({ colorScheme: 'light' });

    // The token has run out: the page gets another, and the meter goes on.
    rig.clock.advance(61_000);
    await eventually(() => site.tokensAsked).toBe(2);
    await consume(rig, 'acme', 'api_calls', { amount: 10 });
    await eventually(() => shown(page)).toBe('850 | 850 | 85%');
    expect(await alerts(page)).toHaveLength(1);

    // The connection is lost while the app goes on counting.
    line.cut();
    await context.setOffline(true);
    await eventually(() => status(page)).toBe('Reconnecting…');
    await consume(rig, 'acme', 'api_calls', { amount: 150 });
    await consume(rig, 'acme', 'storage', { amount: '8.5' });
    expect(await shown(page)).toBe('850 | 850 | 85%');
    await screenshot(page, 'widget-stale');
    await expectAccessible(page);
    line.mend();
    await context.setOffline(false);
    await eventually(() => alerts(page)).toEqual(
      expect.toSatisfy((texts: string[]) => texts.length === 2 && new Set(texts).size === 2),
    );
    await eventually(() => shown(page)).toBe('1,000 | 1000 | 100%');
    await eventually(() => shown(page, 'storage')).toBe('50 | 50 | 50%');
    expect((await alerts(page)).sort()).toEqual(['80% of 1,000 calls used', 'All 1,000 calls used']);
    expect(await status(page)).toBe('Live');
    await screenshot(page, 'widget-full');
    await expectAccessible(page);

    // What is dismissed stays away, also after another lost connection.
    await meter(page).getByRole('button', { name: 'Dismiss alert: 80% of 1,000 calls used' }).click();
    await eventually(() => alerts(page)).toEqual(['All 1,000 calls used']);
    line.cut();
    line.mend();
    await consume(rig, 'acme', 'storage', { amount: 1 });
    await eventually(() => shown(page, 'storage')).toBe('51 | 51 | 51%');
    expect(await alerts(page)).toEqual(['All 1,000 calls used']);
    expect(problems).toEqual([]);
  });

  it('fits a phone', async () => {
    const { site } = await openScene();
    const { page } = await openPage(browser, site.url, { width: 320, height: 640 });
    await eventually(() => shown(page)).toBe('312 | 312 | 31.2%');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await screenshot(page, 'widget-phone', { fullPage: true });
  });

  it('says what is wrong on a page that the gateway does not let in', async () => {
    const { rig, line } = await openScene();
    const stranger = await openHostSite({ getToken: () => tokenOf(rig, 'acme'), pageOf: () => hostPage(line.url) });
    const { page } = await openPage(browser, stranger.url);
    // A browser does not tell a script why; the meter must not look as if all were well.
    await eventually(() => meter(page).locator('[part~=problem], [part~=loading], [part~=stale]').count()).toBe(1);
    expect(await meter(page).getByRole('meter').count()).toBe(0);
  });
});

/** The picture at the top of the README: of the meters alone, and only when it is asked for. */
async function keepReadmePicture(page: Page): Promise<void> {
  if (!process.env.UPDATE_SCREENSHOTS) return;
  mkdirSync(fileURLToPath(new URL('.', new URL('../../docs/images/meter.png', import.meta.url))), { recursive: true });
  await page.locator('main').screenshot({ path: README_PICTURE, animations: 'disabled' });
  expect(readFileSync(README_PICTURE).length).toBeLessThan(150_000);
}
