/**
 * feed — one customer's live usage and alerts, heard once and handed to every meter of the page that asks.
 *
 * However many meters are drawn, a feed holds two subscriptions; with the last listener they end.
 */
import type { Alert, MetergraphError, MetergraphRealtime, UsageState } from '@metergraph/client-sdk';
import type { MeterEvent, Problem } from './state.ts';

export type Listener = (event: MeterEvent) => void;

export type Feed = {
  /** Follows one feature: what is known comes at once, then each change. Answers how to stop. */
  listen(featureKey: string, listener: Listener): () => void;
  /** Starts over, for a reader who presses "try again" after the end. */
  retry(): void;
};

/** Kept for meters that are drawn later. */
const ALERTS_KEPT = 50;
/** Failures to connect, with nothing on the screen yet, before a reader is told. */
const FAILURES_TOLD = 2;

export function createFeed(client: MetergraphRealtime, referenceId: string | undefined): Feed {
  const listeners = new Map<Listener, string>();
  let known: UsageState | null = null;
  let alerts: readonly Alert[] = [];
  let lastNews: MeterEvent[] = []; // the newest of connection and problem, for listeners that come later
  let failures = 0;
  let isStarted = false;
  let stopUsage = (): void => {};
  let stopAlerts = (): void => {};

  const tellAll = (event: MeterEvent): void => {
    for (const listener of [...listeners.keys()]) listener(event);
  };
  const usageEvent = (state: UsageState, featureKey: string): MeterEvent => {
    const usage = state.usages.get(featureKey);
    return usage ? { type: 'usage', usage } : { type: 'problem', problem: 'absent', isFinal: true };
  };

  const onChange = (state: UsageState): void => {
    const before = known;
    known = state;
    failures = 0;
    lastNews = lastNews.filter(({ type }) => type !== 'problem');
    for (const [listener, featureKey] of [...listeners]) {
      const usage = state.usages.get(featureKey);
      if (!before || !usage || before.usages.get(featureKey) !== usage) listener(usageEvent(state, featureKey));
    }
  };

  const onError = (error: MetergraphError): void => {
    failures += 1;
    if (error.retryable && (known || failures < FAILURES_TOLD)) return; // `onStatus` says that it is reconnecting
    if (!error.retryable) known = null;
    const event: MeterEvent = { type: 'problem', problem: problemOf(error), isFinal: !error.retryable };
    lastNews = [event];
    tellAll(event);
  };

  const followUsage = (): void => {
    stopUsage = client.onUsage(
      { referenceId },
      {
        onChange,
        onError,
        onStatus(status) {
          if (status === 'closed') return; // the error before it has said why
          const event: MeterEvent = { type: 'connection', connection: status };
          lastNews = [...lastNews.filter(({ type }) => type !== 'connection'), event];
          tellAll(event);
        },
      },
    );
  };

  const followAlerts = (): void => {
    stopAlerts = client.onAlert(
      { referenceId, after: alerts.at(-1)?.cursor },
      {
        onAlert(alert) {
          alerts = [...alerts, alert].slice(-ALERTS_KEPT);
          for (const [listener, featureKey] of [...listeners]) {
            if (alert.featureKey === featureKey) listener({ type: 'alert', alert });
          }
        },
      },
    );
  };

  const start = (): void => {
    isStarted = true;
    failures = 0;
    lastNews = [];
    followUsage();
    followAlerts();
  };

  const stop = (): void => {
    isStarted = false;
    known = null;
    stopUsage();
    stopAlerts();
  };

  return {
    listen(featureKey, listener) {
      listeners.set(listener, featureKey);
      if (!isStarted) start();
      else for (const event of lastNews) listener(event);
      if (known) listener(usageEvent(known, featureKey));
      for (const alert of alerts) if (alert.featureKey === featureKey) listener({ type: 'alert', alert });
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
    retry() {
      stop();
      tellAll({ type: 'restart' });
      if (listeners.size > 0) start();
    },
  };
}

function problemOf({ code }: MetergraphError): Problem {
  if (code === 'FEATURE_NOT_FOUND') return 'absent';
  return ['UNAUTHENTICATED', 'FORBIDDEN', 'CUSTOMER_NOT_FOUND'].includes(code) ? 'denied' : 'failed';
}
