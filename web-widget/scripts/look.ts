/**
 * look — draws every state of the playground in a real browser, light and dark, narrow and wide, in both directions;
 * keeps the pictures in artifacts/widget and fails on what axe finds. `npm run look`, with a part of a name to see less.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import sparticuz from '@sparticuz/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createServer } from 'vite';

type Scene = { readonly theme: string; readonly dir: string; readonly width: number };

const root = fileURLToPath(new URL('../playground', import.meta.url));
const pictures = fileURLToPath(new URL('../../artifacts/widget', import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const part = process.argv[2] ?? '';

/** For root and containers with little shared memory; the flags of the package itself put all pages in one process. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];

const scenes: Scene[] = ['light', 'dark'].flatMap((theme) =>
  ['ltr', 'rtl'].flatMap((dir) => [320, 800].map((width) => ({ theme, dir, width }))),
);

async function look(browser: Browser, origin: string, { theme, dir, width }: Scene): Promise<number> {
  const name = `${theme}-${dir}-${width}`;
  const page = await browser.newPage({
    viewport: { width: width === 320 ? 1080 : 1660, height: 900 },
    reducedMotion: 'reduce',
  });
  page.on('pageerror', (error) => {
    console.error(name, error);
    process.exitCode = 1;
  });
  await page.goto(`${origin}/?theme=${theme}&dir=${dir}&width=${width}`);
  await page.locator('.meter').last().waitFor();
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  const [start, mark] = await placesOfTheBar(page);
  const expected = dir === 'rtl' ? [1, 0.2] : [0, 0.8];
  if (start !== expected[0] || mark !== expected[1]) {
    console.error(
      `${name}: the bar starts at ${start} with a mark at ${mark}, not at ${expected.join(' with one at ')}`,
    );
    process.exitCode = 1;
  }
  await page.addScriptTag({ content: axe });
  const found = await page.evaluate(async () => {
    const { axe: checker } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }; // the script above
    return (await checker.run()).violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(', ')}`,
    );
  });
  for (const violation of found) console.error(`${name}: ${violation}`);
  await page.close();
  return found.length;
}

/** Where the fill of the calm meter starts and where its first mark stands: 0 at the bar's left end, 1 at its right. */
async function placesOfTheBar(page: Page): Promise<readonly [number, number]> {
  const box = async (part: string) => {
    const found = await page.locator(`[data-state="calm"] [part~="${part}"]`).first().boundingBox();
    if (!found) throw new Error(`the calm meter has no ${part}`);
    return { left: found.x, right: found.x + found.width, width: found.width };
  };
  const [track, fill, tick] = [await box('track'), await box('fill'), await box('tick')];
  const share = (x: number): number => Math.round(((x - track.left) / track.width) * 50) / 50;
  return [Math.abs(fill.left - track.left) < 1 ? 0 : share(fill.right), share((tick.left + tick.right) / 2)];
}

type Violation = { readonly id: string; readonly nodes: readonly { readonly target: unknown }[] };

const server = await createServer({
  root,
  configFile: false,
  logLevel: 'error',
  resolve: { conditions: ['@metergraph/source', 'browser', 'module', 'development'] },
});
await server.listen();
const origin = server.resolvedUrls?.local[0]?.replace(/\/$/, '') ?? '';
const browser = await chromium.launch({ executablePath: await sparticuz.executablePath(), args: FLAGS });
try {
  await mkdir(pictures, { recursive: true });
  let violations = 0;
  for (const scene of scenes.filter(({ theme, dir, width }) => `${theme}-${dir}-${width}`.includes(part))) {
    violations += await look(browser, origin, scene);
  }
  console.log(`${violations} violations; pictures in ${pictures}`);
  if (violations > 0) process.exitCode = 1;
} finally {
  await browser.close();
  await server.close();
}
