/** use-usage — the headless hook, for those who draw their own meter. */
import { useMemo } from 'react';
import { describeMeter, type MeterView } from './describe.ts';
import type { MeterLook } from './live-meter.tsx';
import { pageLanguage } from './page-language.ts';
import type { Source } from './registry.ts';
import type { Connection, Problem } from './state.ts';
import type { MeterAlert, MeterUsage } from './types.ts';
import { useConnection, useLook } from './usage-provider.tsx';
import { type Meter, useMeter } from './use-meter.ts';

export type UseUsageOptions = Source &
  Omit<MeterLook, 'theme'> & {
    /** Whose usage. A customer token names its customer: leave it out. */
    readonly referenceId?: string | undefined;
  };

export type LiveUsage = Pick<Meter, 'dismiss' | 'retry'> & {
  /** `null` until the first numbers, and while there is a `problem`. */
  readonly usage: MeterUsage | null;
  readonly connection: Connection;
  readonly problem: Problem | null;
  /** Not dismissed, oldest first. */
  readonly alerts: readonly MeterAlert[];
  /** All of it in words and formatted numbers, as `<UsageMeter>` draws it. */
  readonly view: MeterView;
};

/** Follows one feature live. What is not given in the options comes from the nearest `<UsageProvider>`. */
export function useUsage(feature: string, options: UseUsageOptions = {}): LiveUsage {
  const { state, dismiss, retry } = useMeter({ ...useConnection(options), feature, referenceId: options.referenceId });
  const { locale = pageLanguage(), timeZone, messages, label } = useLook(options);
  const view = useMemo(
    () => describeMeter(state, { now: Date.now(), locale, timeZone, messages, label }),
    [state, locale, timeZone, messages, label],
  );
  const { usage, connection, problem, alerts } = state;
  return { usage, connection, problem, alerts, view, dismiss, retry };
}
