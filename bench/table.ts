/** table — figures and Markdown tables, the same everywhere in a report. */
import type { Spread } from './statistics.ts';

/** Three digits that mean something, never more. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 100) return whole(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** First column to the left, figures to the right, padded so that it reads well as plain text too. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const isText = (i: number) => i === 0 || ['rows', 'of', 'wanted'].includes(head[i] ?? '');
  const cell = (text: string, i: number) => (isText(i) ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0));
  const spell = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  const rule = widths.map((width, i) => (isText(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [spell(head), `| ${rule.join(' | ')} |`, ...lines.map(spell)].join('\n');
}

export const range = ({ median: middle, min, max }: Spread): string =>
  `${figure(middle)} (${figure(min)}–${figure(max)})`;
