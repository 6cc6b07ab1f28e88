/** source-of — where the code of a frame was written: a path in this project, a file of a package, or Node itself. */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallFrame } from './cpu-profile.ts';

/** E.g. `server/metering/engine.ts`, `node_modules/graphql/execution/execute.mjs`, `node:net`; "" for what has no file. */
export type SourceOf = (frame: CallFrame) => string;

/** @param root Of the project. */
export function sourceReader(root: string): SourceOf {
  const maps = new Map<string, SourceMap | null>();
  const mapOf = (file: string): SourceMap | null => {
    const known = maps.get(file);
    if (known !== undefined) return known;
    const map = readSourceMap(file);
    maps.set(file, map);
    return map;
  };
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.startsWith('file:')) return url;
    const file = fileURLToPath(url);
    const entry = mapOf(file)?.findEntry(lineNumber, columnNumber);
    const original = entry && 'originalSource' in entry ? entry.originalSource : null;
    return inProject(relative(root, original ? resolve(dirname(file), original) : file));
  };
}

/** A package is called by its own name, wherever it was installed. */
function inProject(path: string): string {
  const at = path.lastIndexOf('node_modules/');
  return at < 0 ? path : path.slice(at);
}

function readSourceMap(file: string): SourceMap | null {
  const mapFile = `${file}.map`;
  return existsSync(mapFile) ? new SourceMap(JSON.parse(readFileSync(mapFile, 'utf8'))) : null;
}
