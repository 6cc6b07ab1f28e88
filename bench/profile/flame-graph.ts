/** flame-graph — a call tree as one SVG: a bar is a function, as wide as its time, upon whoever called it. */
import { type Frame, totalUs } from './call-tree.ts';
import type { Room } from './rooms.ts';

const WIDTH = 1_400;
const BAR = 17;
const MARGIN = 10;
const TITLE = 28;
const CHARACTER = 6.2;
/** Narrower bars are left out: nobody could point at them. */
const WIDTH_MIN = 0.4;
const DEPTH_MAX = 90;

const COLOURS: Readonly<Record<Room, string>> = {
  door: '#e8a87c',
  'parse, validate': '#e2cf6d',
  execute: '#c6d57e',
  'engine, decide': '#85c88a',
  'announce, count': '#7ccfc0',
  'store, encode': '#7fb7de',
  driver: '#9d9fe0',
  'other packages': '#cfa0d8',
  'garbage collector': '#d98c8c',
  'Node and system calls': '#c9c9c9',
};

type Bar = { readonly frame: Frame; readonly x: number; readonly width: number; readonly depth: number };

/** @param perCall What to divide sampled microseconds by, so that the tooltips speak of those of one call. */
export function flameGraph(tree: Frame, title: string, perCall: number): string {
  const bars = barsOf(tree, (WIDTH - 2 * MARGIN) / Math.max(1, totalUs(tree)));
  const depth = Math.max(0, ...bars.map((bar) => bar.depth)) + 1;
  const height = TITLE + depth * BAR + 2 * MARGIN + BAR;
  const all = totalUs(tree);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${MARGIN}" y="${MARGIN + 10}" font-size="13">${escaped(title)}</text>`,
    ...bars.map((bar) => drawn(bar, height, all, perCall)),
    legend(height),
    '</svg>',
    '',
  ].join('\n');
}

function barsOf(tree: Frame, pixelsPerUs: number): readonly Bar[] {
  const bars: Bar[] = [];
  const place = (frame: Frame, x: number, depth: number): void => {
    const width = totalUs(frame) * pixelsPerUs;
    if (width < WIDTH_MIN || depth > DEPTH_MAX) return;
    bars.push({ frame, x, width, depth });
    let at = x;
    for (const child of widestFirst(frame)) {
      place(child, at, depth + 1);
      at += totalUs(child) * pixelsPerUs;
    }
  };
  place(tree, MARGIN, 0);
  return bars;
}

const widestFirst = ({ children }: Frame): readonly Frame[] =>
  [...children.values()].sort((a, b) => totalUs(b) - totalUs(a));

function drawn({ frame, x, width, depth }: Bar, height: number, all: number, perCall: number): string {
  const y = height - MARGIN - BAR - (depth + 1) * BAR;
  const us = totalUs(frame);
  const about = `${frame.name}${frame.path && ` — ${frame.path}`}: ${(us / perCall).toFixed(1)} µs a call, ${((100 * us) / all).toFixed(1)} % (${frame.room})`;
  const characters = Math.floor((width - 4) / CHARACTER);
  const label =
    characters < 3
      ? ''
      : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(shortened(frame.name, characters))}</text>`;
  return `<g><title>${escaped(about)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 1}" fill="${COLOURS[frame.room]}"/>${label}</g>`;
}

function legend(height: number): string {
  let x = MARGIN;
  const y = height - MARGIN - BAR + 4;
  return Object.entries(COLOURS)
    .map(([room, colour]) => {
      const entry = `<rect x="${x}" y="${y}" width="10" height="10" fill="${colour}"/><text x="${x + 14}" y="${y + 9}">${escaped(room)}</text>`;
      x += Math.round(30 + room.length * CHARACTER);
      return entry;
    })
    .join('');
}

const shortened = (name: string, characters: number): string =>
  name.length <= characters ? name : `${name.slice(0, characters - 1)}…`;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? '');
