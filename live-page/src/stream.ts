/**
 * stream — the newest things that happened in the tenant, as rows, and how each thing heard changes them. Pure.
 *
 * While a reader holds the list still, what comes is kept aside and put on top when it is let go. Both are bounded.
 */
import type { Alert, DateTime, Decimal, LiveUsage, Usage } from '@metergraph/client-sdk';
import { isZero, subtract } from './decimal.ts';
import type { Overview } from './overview.ts';

export type UseRow = {
  readonly kind: 'use';
  readonly id: string;
  readonly at: DateTime;
  /** The state after it. */
  readonly usage: Usage;
  /** Since the last row of this customer and feature; null where that is not known. */
  readonly change: Decimal | null;
};

export type AlertRow = {
  readonly kind: 'alert';
  readonly id: string;
  readonly at: DateTime;
  readonly alert: Alert;
  /** Of the same customer and feature, where it is known: it has the names. */
  readonly usage: Usage | null;
};

export type StreamRow = UseRow | AlertRow;

export type Stream = {
  /** Newest first. */
  readonly rows: readonly StreamRow[];
  readonly isHeld: boolean;
  /** What came since it is held; newest first. */
  readonly held: readonly StreamRow[];
  /** The newest state of each customer and feature. */
  readonly known: ReadonlyMap<string, Usage>;
  readonly serial: number;
};

export type StreamEvent =
  | { readonly type: 'usage'; readonly live: LiveUsage }
  | { readonly type: 'alert'; readonly alert: Alert }
  | { readonly type: 'hold'; readonly isHeld: boolean };

export const ROWS_MAX = 50;

/** Begins with what happened last, as far as it belongs to a running period. */
export function startStream({ customers, events, alerts }: Pick<Overview, 'customers' | 'events' | 'alerts'>): Stream {
  const usages = customers.flatMap((customer) => customer.usages);
  const known = new Map(usages.map((usage) => [keyOf(usage.referenceId, usage.feature.key), usage]));
  const current = ({ referenceId, featureKey }: { referenceId: string; featureKey: string }, at: DateTime) => {
    const usage = known.get(keyOf(referenceId, featureKey));
    return usage && Date.parse(at) >= Date.parse(usage.period.start) ? usage : null;
  };
  const uses = events.flatMap((event): StreamRow[] => {
    const usage = current(event, event.recordedAt);
    if (!usage) return [];
    const { id, recordedAt, amount, usedAfter } = event;
    return [{ kind: 'use', id, at: recordedAt, usage: { ...usage, used: usedAfter }, change: amount }];
  });
  const raised = alerts.flatMap((alert): StreamRow[] => {
    const usage = current(alert, alert.raisedAt);
    return usage ? [{ kind: 'alert', id: alert.id, at: alert.raisedAt, alert, usage }] : [];
  });
  // Stable: an alert stands above the use that raised it at the same instant.
  const rows = [...raised, ...uses].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return { rows: rows.slice(0, ROWS_MAX), isHeld: false, held: [], known, serial: 0 };
}

export function reduceStream(stream: Stream, event: StreamEvent): Stream {
  switch (event.type) {
    case 'usage':
      return event.live.usages.reduce((next, usage) => heardUsage(next, usage, event.live.at), stream);
    case 'alert':
      return heardAlert(stream, event.alert);
    case 'hold':
      if (event.isHeld) return { ...stream, isHeld: true };
      return { ...stream, isHeld: false, held: [], rows: [...stream.held, ...stream.rows].slice(0, ROWS_MAX) };
  }
}

function heardUsage(stream: Stream, usage: Usage, at: DateTime): Stream {
  const key = keyOf(usage.referenceId, usage.feature.key);
  const before = stream.known.get(key);
  const known = new Map(stream.known).set(key, usage);
  const change = before && changeSince(before, usage);
  // Heard again after a new connection, or only some other feature of the customer has changed.
  if (change !== undefined && isZero(change) && before?.limit === usage.limit) return { ...stream, known };
  const row: UseRow = { kind: 'use', id: `use ${stream.serial}`, at, usage, change: change ?? null };
  return onTop({ ...stream, known, serial: stream.serial + 1 }, row);
}

function heardAlert(stream: Stream, alert: Alert): Stream {
  if ([...stream.rows, ...stream.held].some(({ id }) => id === alert.id)) return stream;
  const usage = stream.known.get(keyOf(alert.referenceId, alert.featureKey)) ?? null;
  return onTop(stream, { kind: 'alert', id: alert.id, at: alert.raisedAt, alert, usage });
}

function onTop(stream: Stream, row: StreamRow): Stream {
  const list = stream.isHeld ? 'held' : 'rows';
  return { ...stream, [list]: [row, ...stream[list]].slice(0, ROWS_MAX) };
}

/** In a new period everything is new. */
const changeSince = (before: Usage, after: Usage): Decimal =>
  before.period.start === after.period.start ? subtract(after.used, before.used) : after.used;

const keyOf = (referenceId: string, featureKey: string): string => JSON.stringify([referenceId, featureKey]);
