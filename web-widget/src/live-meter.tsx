/** live-meter — the meter that follows its feed: shared by the React component and the custom element. */
import { useEffect, useMemo, useRef, useState } from 'react';
import { createAnnouncer, newsBetween } from './announce.ts';
import { describeMeter, type MeterView } from './describe.ts';
import type { Locale } from './format.ts';
import { pageLanguage } from './page-language.ts';
import { type MeterSource, useMeter } from './use-meter.ts';
import { MeterCard, type Theme, type Upgrade } from './view.tsx';

export type MeterLook = Locale & {
  /** Default `auto`: as the reader's system is set. */
  readonly theme?: Theme | undefined;
  /** Title instead of the feature's display name. */
  readonly label?: string | undefined;
};

export type LiveMeterProps = {
  readonly source: MeterSource;
  readonly look: MeterLook;
  readonly upgrade?: Upgrade | undefined;
};

export function LiveMeter({ source, look, upgrade }: LiveMeterProps) {
  const { state, dismiss, retry } = useMeter(source);
  const { locale = pageLanguage(), timeZone, messages, label, theme } = look;
  const view = useMemo(
    () => describeMeter(state, { now: Date.now(), locale, timeZone, messages, label }),
    [state, locale, timeZone, messages, label],
  );
  const announcement = useAnnouncement(view);
  const pulse = usePulse(view.figures?.used);
  return (
    <MeterCard
      view={view}
      theme={theme}
      upgrade={upgrade}
      announcement={announcement}
      pulse={pulse}
      onDismiss={dismiss}
      onRetry={retry}
    />
  );
}

function useAnnouncement(view: MeterView): string {
  const [spoken, speak] = useState('');
  const heard = useRef(view);
  const [announcer] = useState(() => createAnnouncer(speak));
  useEffect(() => announcer.stop, [announcer]);
  useEffect(() => {
    announcer.tell(newsBetween(heard.current, view));
    heard.current = view;
  }, [announcer, view]);
  return spoken;
}

/** Counts the changes of a number; the first one that arrives is no change. */
function usePulse(used: string | undefined): number {
  const [pulse, setPulse] = useState(0);
  const last = useRef(used);
  useEffect(() => {
    if (last.current !== undefined && used !== undefined && used !== last.current) setPulse((count) => count + 1);
    if (used !== undefined) last.current = used;
  }, [used]);
  return pulse;
}
