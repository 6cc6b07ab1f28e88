/**
 * state — what one meter knows, and how each thing it hears changes that. Pure.
 *
 * A meter hears usages, alerts and news of its connection, in any order; `reduce` folds them into one value, which
 * `describeMeter` turns into what is drawn.
 */
import type { MeterAlert, MeterUsage } from './types.ts';

/** `connecting`: nothing heard yet. `reconnecting`: what is shown may be behind. `live`: it is not. */
export type Connection = 'connecting' | 'live' | 'reconnecting';

/** Why there is nothing to draw. `denied`: the token is refused. `absent`: the customer has no such feature. */
export type Problem = 'denied' | 'absent' | 'failed';

export type MeterState = {
  readonly connection: Connection;
  readonly usage: MeterUsage | null;
  readonly problem: Problem | null;
  /** Oldest first, each id once. */
  readonly alerts: readonly MeterAlert[];
  /** Alerts the reader has closed; remembered so that one heard again stays closed. */
  readonly dismissed: ReadonlySet<string>;
};

export type MeterEvent =
  | { readonly type: 'usage'; readonly usage: MeterUsage }
  | { readonly type: 'alert'; readonly alert: MeterAlert }
  | { readonly type: 'dismiss'; readonly alertId: string }
  | { readonly type: 'connection'; readonly connection: Connection }
  /** `isFinal`: nothing more will come by itself. Otherwise numbers that are on the screen stay there, as stale. */
  | { readonly type: 'problem'; readonly problem: Problem; readonly isFinal: boolean }
  /** From the start: another customer or feature, or another try. What was dismissed stays so. */
  | { readonly type: 'restart' };

/** More open alerts of one meter than this are never kept; the oldest go first. */
export const ALERTS_MAX = 50;

export const initialState: MeterState = {
  connection: 'connecting',
  usage: null,
  problem: null,
  alerts: [],
  dismissed: new Set(),
};

export function reduce(state: MeterState, event: MeterEvent): MeterState {
  switch (event.type) {
    case 'usage':
      if (event.usage.entitled === false) return { ...state, usage: null, problem: 'absent' };
      return { ...state, usage: event.usage, problem: null };
    case 'alert':
      if (isKnown(state, event.alert)) return state;
      return { ...state, alerts: [...state.alerts, event.alert].slice(-ALERTS_MAX) };
    case 'dismiss':
      return {
        ...state,
        alerts: state.alerts.filter((alert) => alert.id !== event.alertId),
        dismissed: new Set([...state.dismissed, event.alertId]),
      };
    case 'connection':
      return state.connection === event.connection ? state : { ...state, connection: event.connection };
    case 'problem':
      if (!event.isFinal && state.usage) return reduce(state, { type: 'connection', connection: 'reconnecting' });
      return { ...state, problem: event.problem, usage: null };
    case 'restart':
      return { ...initialState, dismissed: state.dismissed };
  }
}

const isKnown = (state: MeterState, { id }: MeterAlert): boolean =>
  state.dismissed.has(id) || state.alerts.some((alert) => alert.id === id);
