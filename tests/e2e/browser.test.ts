/** Goal: the browser that other tests stand on starts, draws, and keeps pictures. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Browser, describeBrowser, launchBrowser, screenshot } from '../support/browser.ts';

describeBrowser('the browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  it('runs scripts, and its pictures are of the size asked for', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 200 } });
    await page.goto(
      'data:text/html,<h1 lang=en>…</h1><script>document.querySelector("h1").textContent = "alive"</script>',
    );
    expect(await page.textContent('h1')).toBe('alive');
    const picture = readFileSync(await screenshot(page, 'browser-alive'));
    expect({ width: picture.readUInt32BE(16), height: picture.readUInt32BE(20) }).toEqual({ width: 320, height: 200 });
  });
});
