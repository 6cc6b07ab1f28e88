/**
 * Goal: the page at `/` shows what the gateway does while it does it, acts as an app's server on a press, and is right
 * again after the connection was lost and after its tokens have run out. Method: the page as the gateway serves it, in
 * a real browser, over a line that can be cut.
 */
import '../support/built.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { type Line, openLine } from '../realtime/line.ts';
import { consume, openRig, type Rig } from '../realtime/rig.ts';
import { type Browser, describeBrowser, launchBrowser, type Page, screenshot } from '../support/browser.ts';
import { ManualClock } from '../support/clock.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { eventually, expectAccessible, NOW, openPage } from './pages.ts';

const CONFIG = defineConfig({
  features: {
    api_calls: { displayName: 'API calls', unit: 'call', reset: 'monthly', limit: 1_000 },
    ai_tokens: { displayName: 'AI tokens', unit: 'token', reset: 'daily' },
    exports: { displayName: 'Exports', unit: 'export', aggregation: 'count', reset: 'monthly' },
  },
  plans: {
    free: { features: { api_calls: {} } },
    pro: {
      features: {
        ai_tokens: { limit: 50_000, enforcement: 'soft', price: { unitAmount: '0.002' } },
        exports: { limit: null },
      },
    },
  },
});

const COMPANIES = [
  ['acme', 'Acme', 'free'],
  ['globex', 'Globex', 'pro'],
  ['initech', 'Initech', 'pro'],
] as const;

/** A gateway that gives its page a key, with three customers. */
async function openScene(demoKey: string | null = ADMIN_KEY): Promise<{ readonly rig: Rig; readonly line: Line }> {
  const rig = await openRig({ config: CONFIG, ...(demoKey !== null && { demoKey }) }, new ManualClock(NOW));
  for (const [referenceId, name, planKey] of COMPANIES) {
    await rig.data('mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { __typename } }', {
      input: { referenceId, name, planKey },
    });
  }
  await consume(rig, 'acme', 'api_calls', { amount: 640 });
  await consume(rig, 'globex', 'ai_tokens', { amount: 12_500 });
  await consume(rig, 'initech', 'exports');
  return { rig, line: await openLine(rig.url) };
}

const card = (page: Page) => page.getByRole('article', { name: 'Acme, API calls' });
const bar = (page: Page) => card(page).getByRole('meter').getAttribute('aria-valuenow');
const meterAlerts = (page: Page) => card(page).locator('[part=alert]').count();
/** Lines of the stream that tell of an alert. */
const alertRows = (page: Page) => page.locator('ol .row[data-kind=alert]').count();
const firstRow = async (page: Page): Promise<string> =>
  ((await page.locator('ol .row').first().textContent()) ?? '').replaceAll('\u00a0', ' ');
const connection = (page: Page) => page.locator('.connection [role=status]').textContent();

describeBrowser('the live page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  it('moves while it happens, and is right again after what happens to connections and tokens', async () => {
    const { rig, line } = await openScene();
    const { page, context, problems } = await openPage(browser, line.url, { width: 1_280, height: 900 });
    await eventually(() => bar(page)).toBe('640');
    await eventually(() => connection(page)).toBe('Connected');
    expect(await page.getByRole('article').count()).toBe(4);
    await expectAccessible(page);

    // Through the API: the bar moves, and the stream says so.
    await consume(rig, 'acme', 'api_calls', { amount: 60 });
    await eventually(() => bar(page)).toBe('700');
    await eventually(() => firstRow(page)).toContain('Acme');
    expect(await firstRow(page)).toMatch(/API calls.*60.*700/);

    // By a press: the page asks as an app's server does, and shows the answer.
    await card(page)
      .getByRole('button', { name: /^Consume / })
      .first()
      .click();
    await eventually(() => card(page).getByRole('status').first().textContent()).toMatch(/allowed/i);
    await eventually(async () => Number(await bar(page))).toBeGreaterThan(700);
    const pressed = Number(await bar(page));

    // Over the line at 80 %: one alert in the meter, one in the stream.
    await consume(rig, 'acme', 'api_calls', { amount: 810 - pressed });
    await eventually(() => bar(page)).toBe('810');
    await eventually(() => meterAlerts(page)).toBe(1);
    await eventually(() => alertRows(page)).toBe(1);
    await consume(rig, 'acme', 'api_calls', { amount: 10 });
    await eventually(() => bar(page)).toBe('820');
    expect([await meterAlerts(page), await alertRows(page)]).toEqual([1, 1]);
    await screenshot(page, 'live-page', { fullPage: true });
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'live-page-dark', { fullPage: true });
    await page.emulateMedia({ colorScheme: 'light' });

    // The tokens of the meters run out: they get others, and go on.
    rig.clock.advance(16 * 60_000);
    await consume(rig, 'acme', 'api_calls', { amount: 5 });
    await eventually(() => bar(page)).toBe('825');
    expect(await meterAlerts(page)).toBe(1);

    // The connection is lost while the app goes on counting.
    line.cut();
    await context.setOffline(true);
    await eventually(() => connection(page)).toBe('Reconnecting…');
    await consume(rig, 'acme', 'api_calls', { amount: 175 });
    expect(await bar(page)).toBe('825');
    line.mend();
    await context.setOffline(false);
    await eventually(() => bar(page)).toBe('1000');
    await eventually(() => connection(page)).toBe('Connected');
    await eventually(() => meterAlerts(page)).toBe(2);
    await eventually(() => alertRows(page)).toBe(2);

    // At the limit a press is refused, and nothing moves.
    await card(page)
      .getByRole('button', { name: /^Consume / })
      .first()
      .click();
    await eventually(() => card(page).getByRole('status').first().textContent()).toMatch(/denied|refused/i);
    expect(await bar(page)).toBe('1000');
    expect([await meterAlerts(page), await alertRows(page)]).toEqual([2, 2]);
    await screenshot(page, 'live-page-full', { fullPage: true });
    await expectAccessible(page);
    expect(problems).toEqual([]);
  });

  it('fits a phone', async () => {
    const { line } = await openScene();
    const { page } = await openPage(browser, line.url, { width: 320, height: 640 });
    await eventually(() => bar(page)).toBe('640');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await screenshot(page, 'live-page-phone', { fullPage: true });
  });

  it('asks for a key where there is no demo, and refuses a wrong one', async () => {
    const { line } = await openScene(null);
    const { page } = await openPage(browser, line.url);
    const key = page.getByRole('textbox');
    await key.fill('mg_live_Harness1_00000000000000000000000000000000');
    await key.press('Enter');
    await eventually(() => page.getByRole('alert').count()).toBe(1);
    await expectAccessible(page);
    await screenshot(page, 'live-page-key');
    await key.fill(ADMIN_KEY);
    await key.press('Enter');
    await eventually(() => bar(page)).toBe('640');
  });
});
