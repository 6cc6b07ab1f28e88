/** alert-stream — every alert exactly once. */
import type { DataOf } from './graphql.ts';
import { type Link, type Sink, wireRequest } from './link.ts';
import { calling, type LiveSource } from './live.ts';
import { AlertRaised, NewestAlerts } from './live-documents.ts';
import type { Alert, AlertFilter, AlertHandlers } from './types.ts';

/** Alerts are rare; a gateway repeats at most the last few after a reconnect. */
const REMEMBERED = 1_000;
const CATCH_UP = 50;

/** Says of each id once that it is new; forgets the oldest beyond `limit`. */
export function onlyOnce(limit: number): (id: string) => boolean {
  const seen = new Set<string>();
  return (id) => {
    if (seen.has(id)) return false;
    seen.add(id);
    for (const oldest of seen) {
      if (seen.size <= limit) break;
      seen.delete(oldest);
    }
    return true;
  };
}

/**
 * A stream tells its cursor with each alert. Before the first one there is none to resume with, and what was raised
 * while the link was down would be missed. So as long as it has no cursor, each opening also looks at the newest
 * stored alerts: the first time for a mark ("up to here is the past"), then for what came after that mark.
 */
export function alertSource({ referenceId, after }: AlertFilter, handlers: AlertHandlers) {
  const isNew = onlyOnce(REMEMBERED);
  let cursor = after;
  let openOn: Link | undefined;
  /** The newest alert at the time of looking; null when there was none, undefined before looking. */
  let mark: string | null | undefined;

  const tell = (alert: Alert) => {
    if (isNew(alert.id)) calling(() => handlers.onAlert(alert));
  };
  const looked = (newest: readonly Alert[]) => {
    const past = newest.findIndex(({ id }) => id === mark);
    const missed = mark === undefined ? [] : newest.slice(0, past === -1 ? undefined : past);
    for (const alert of missed.toReversed()) tell(alert);
    mark = newest[0]?.id ?? null;
  };
  const look = (link: Link) => {
    const stop = link.start(wireRequest(NewestAlerts, { referenceId, first: CATCH_UP }), {
      started: () => {},
      // Failing is harmless: the next opening looks again, and the stream itself reports what is wrong.
      failed: () => {},
      completed: () => {},
      next: ({ data, errors }) => {
        // The gateway speaks the schema the operation was checked against.
        if (data && !errors?.length && openOn === link) looked((data as DataOf<typeof NewestAlerts>).alerts.nodes);
      },
    });
    return stop;
  };

  const source: LiveSource<DataOf<typeof AlertRaised>> = {
    open: (link: Link, sink: Sink) => {
      openOn = link;
      const stop = link.start(wireRequest(AlertRaised, { referenceId, after: cursor }), sink);
      const stopLooking = cursor === undefined ? look(link) : () => {};
      return () => {
        openOn = undefined;
        stopLooking();
        stop();
      };
    },
    next: ({ alertRaised }) => {
      if (alertRaised.__typename === 'AlertRaised') {
        cursor = alertRaised.cursor;
        tell(alertRaised.alert);
        return;
      }
      cursor = undefined;
      mark = undefined;
      if (openOn) look(openOn);
      calling(() => handlers.onGap?.(alertRaised.message));
    },
  };
  return source;
}
