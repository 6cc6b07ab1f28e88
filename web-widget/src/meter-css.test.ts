/** Goal: the style sheet works in both directions and asks nothing of those who want stillness. Method: its text. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('meter.css', import.meta.url), 'utf8');
const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const view = ['view.tsx', 'alert-list.tsx', 'icons.tsx']
  .map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))
  .join('');

const every = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? '')),
];

describe('style sheet', () => {
  it('places nothing at a physical side', () => {
    const physical =
      /(?<![\w-])(left|right|(margin|padding|border|inset)-(left|right)|text-align:\s*(left|right)|float|width|height)\s*:/;
    expect(css.split('\n').filter((line) => physical.test(line))).toEqual([]);
  });

  it('turns around what is drawn with a direction', () => {
    expect(css).toMatch(/\.endless:dir\(rtl\)/);
  });

  it('moves nothing for those who asked for less motion', () => {
    expect(css).toMatch(/prefers-reduced-motion: reduce\) \{\s+\*,\s+::after \{[^}]*animation: none !important;/);
  });

  it('dark by attribute and dark by system are the same', () => {
    const [bySystem, byAttribute] = ['auto', 'dark'].map((theme) =>
      css.split(`[data-theme="${theme}"] {`)[1]?.split('}')[0]?.replace(/\s+/g, ' '),
    );
    expect(bySystem).toBe(byAttribute);
  });

  it('every property and part it offers is in the README', () => {
    for (const property of every(css, /var\((--mg-[\w-]+)/g)) expect(README).toContain(`\`${property}\``);
    for (const part of every(view, /part="([\w-]+)/g)) expect(README).toContain(`\`${part}\``);
  });
});
