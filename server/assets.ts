/**
 * assets — the built files that browsers load: the live page and the stand-alone widget.
 *
 * They are few and small, so they are read once, at start: a build that replaces them under a running gateway changes
 * nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lookup } from 'mrmime';

export type Asset = { readonly body: Buffer; readonly contentType: string; readonly etag: string };

/** Beside the build, or in the workspace the packages were built in. */
const find = (...candidates: readonly string[]): string | null =>
  candidates.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) => existsSync(path)) ?? null;

function readAsset(file: string): Asset {
  const body = readFileSync(file);
  const type = lookup(file) ?? 'application/octet-stream';
  const isText = type.startsWith('text/') || type.endsWith('json') || type.endsWith('xml');
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
  return { body, contentType: isText ? `${type}; charset=utf-8` : type, etag };
}

function readFolder(folder: string): ReadonlyMap<string, Asset> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [`/${relative(folder, file).split(sep).join('/')}`, readAsset(file)]));
}

const livePage = find('./assets/live-page', '../live-page/dist');
const widget = find('./assets/widget.js', '../web-widget/dist/widget.js');

export type Assets = {
  /** The files of the live page by path, `/index.html` among them; empty when it was not built. */
  readonly livePageFiles: ReadonlyMap<string, Asset>;
  /** The stand-alone widget; null when it was not built. */
  readonly widgetScript: Asset | null;
};

/** What this installation was built with. */
export const builtAssets: Assets = {
  livePageFiles: livePage === null ? new Map() : readFolder(livePage),
  widgetScript: widget === null ? null : readAsset(widget),
};
