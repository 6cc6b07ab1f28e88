/** icons — the few signs that stand beside a colour, drawn in the text's own colour and hidden from screen readers. */

const PATHS = {
  notice: 'M8 2.2 14.3 13H1.7zM8 6.4v3M8 11.2v.1',
  full: 'M5.5 1.8h5l3.7 3.7v5l-3.7 3.7h-5l-3.7-3.7v-5zM8 4.9v3.6M8 10.9v.1',
  lock: 'M3.5 7.2h9v6.3h-9zM5.3 7V5.2a2.7 2.7 0 0 1 5.4 0V7',
  unlimited: 'M8 8c-1.4-2-2.4-3-3.7-3a3 3 0 0 0 0 6C5.6 11 6.6 10 8 8s2.4-3 3.7-3a3 3 0 0 1 0 6C10.4 11 9.4 10 8 8',
  failed: 'M4.5 12.5a3 3 0 0 1-.4-5.9A4 4 0 0 1 11.7 6a3.3 3.3 0 0 1 .3 6.5zM2 2l12 12',
  absent: 'M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM8 8v6M8 8 2.7 5.1M8 8l5.3-2.9',
  stale: 'M13.5 8a5.5 5.5 0 1 1-1.7-4M13.7 1.7v2.7h-2.7',
  close: 'M4 4l8 8M12 4l-8 8',
  upgrade: 'M8 13V3.5M3.8 7.5 8 3.3l4.2 4.2',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} part="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
