/** assets — the built files that browsers load: the live page and the stand-alone widget. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

/** Beside the build, or in the workspace the packages were built in. */
const find = (...candidates: readonly string[]): string | null =>
  candidates.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) => existsSync(path)) ?? null;

const LIVE_PAGE = find('./assets/live-page', '../live-page/dist');
const WIDGET = find('./assets/widget.js', '../web-widget/dist/widget.js');

/** Serves the files that the live page is made of; calls `next` for anything else. */
export const serveLivePageFiles = LIVE_PAGE === null ? null : sirv(LIVE_PAGE, { etag: true, single: false });

/** The page itself, into which the gateway writes what it starts with; null when it was not built. */
export const livePageHtml: string | null = LIVE_PAGE && readFileSync(`${LIVE_PAGE}/index.html`, 'utf8');

/** The stand-alone widget; null when it was not built. */
export const widgetScript: Buffer | null = WIDGET === null ? null : readFileSync(WIDGET);
