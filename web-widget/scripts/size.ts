/** size — fails when the stand-alone file outgrows its budget. Run after a build: `npm run size`. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BYTES_MAX = 25_000;
const file = new URL('../dist/widget.js', import.meta.url);
const bytes = gzipSync(readFileSync(file), { level: 9 }).length;
console.log(`dist/widget.js: ${bytes.toLocaleString('en')} of ${BYTES_MAX.toLocaleString('en')} bytes gzipped`);
if (bytes >= BYTES_MAX) process.exitCode = 1;
