/**
 * announce — what a screen reader is told, and how often. A live number moves many times a minute; a person wants to
 * hear of what matters: an alert, another state, or a tenth more of the limit.
 */
import type { MeterView } from './describe.ts';

/** Something worth saying. What comes later under the same key replaces what has not been said yet; no text takes it back. */
export type News = { readonly key: string; readonly text: string };

/** A tenth of the limit is worth a word even where no threshold stands. */
const STEP = 0.1;

/** What is new in `next` for somebody who has heard `previous`. The first numbers are read by the reader, not told. Pure. */
export function newsBetween(previous: MeterView, next: MeterView): readonly News[] {
  const known = new Set(previous.alerts.map(({ id }) => id));
  const alerts = next.alerts
    .filter(({ id }) => !known.has(id))
    .map(({ id, text }) => ({ key: id, text: `${next.title}: ${text}` }));
  const state = stateNews(previous, next);
  return state === null ? alerts.reverse() : [...alerts.reverse(), { key: 'state', text: state }];
}

function stateNews(previous: MeterView, next: MeterView): string | null {
  if (next.notice)
    return previous.notice?.kind === next.notice.kind ? null : `${next.notice.title}. ${next.notice.hint}`;
  if (next.phase === 'stale')
    return previous.phase === 'live' ? `${next.text('stale')} ${next.text('staleHint')}` : null;
  const [before, now] = [previous.figures, next.figures];
  if (!now || !before) return null;
  if (before.level !== now.level) return [now.sign, now.valueText, now.outlook].filter(Boolean).join('. ');
  if (previous.phase === 'stale' && next.phase === 'live') return '';
  const step = (filled: number | undefined): number => Math.floor((filled ?? 0) / STEP);
  return step(before.bar?.filled) === step(now.bar?.filled) ? null : now.valueText;
}

export type Timer = {
  /** Calls back once after `ms`; answers how to call it off. */
  after(ms: number, callback: () => void): () => void;
};

export const realTimer: Timer = {
  after(ms, callback) {
    const handle = setTimeout(callback, ms);
    return () => clearTimeout(handle);
  },
};

export type Announcer = { tell(news: readonly News[]): void; stop(): void };

/** Least time between two announcements, so that one can be heard out. */
export const ANNOUNCE_GAP_MS = 5_000;

/** News settles this long before it is said: a burst becomes one announcement, and a connection that is back at once none. */
export const ANNOUNCE_SETTLE_MS = 1_000;

/** Gathers news, says it in one, and then keeps still for the gap. */
export function createAnnouncer(speak: (text: string) => void, timer: Timer = realTimer): Announcer {
  const waiting = new Map<string, string>();
  let cancel: (() => void) | null = null; // while news settles, and during the gap
  const flush = (): void => {
    cancel = null;
    if (waiting.size === 0) return;
    speak([...waiting.values()].join('. ').replaceAll('.. ', '. '));
    waiting.clear();
    cancel = timer.after(ANNOUNCE_GAP_MS, flush);
  };
  return {
    tell(news) {
      for (const { key, text } of news) {
        if (text) waiting.set(key, text);
        else waiting.delete(key);
      }
      if (waiting.size > 0) cancel ??= timer.after(ANNOUNCE_SETTLE_MS, flush);
    },
    stop() {
      cancel?.();
      cancel = null;
      waiting.clear();
    },
  };
}
