/**
 * describe — what a meter shows, in words and numbers ready to draw: the one function between what is known and what
 * is seen. Pure: the instant, the language and the strings are handed in. Start reading here.
 */
import { compare, multiply, subtract, wholePercent } from './decimal.ts';
import { createFormats, type Formats, type Locale } from './format.ts';
import { type MessageKey, type Messages, say } from './messages.ts';
import { outlookOf } from './outlook.ts';
import { type Level, placeOf, scaleOf } from './scale.ts';
import type { MeterState, Problem } from './state.ts';
import type { MeterAlert, MeterUsage } from './types.ts';

export type MeterOptions = Locale & {
  /** Milliseconds since 1970: decides whether a date needs its time or year. */
  readonly now: number;
  /** Instead of the feature's display name. */
  readonly label?: string | undefined;
};

export type MeterTick = { readonly position: number; readonly reached: boolean; readonly label: string };

export type MeterBar = {
  readonly within: number;
  readonly filled: number;
  readonly ticks: readonly MeterTick[];
  readonly stage: number;
  /** For `aria-valuenow` and `aria-valuemax`; the exact numbers are in `valueText`. */
  readonly valueNow: number;
  readonly valueMax: number;
};

export type MeterAlertView = {
  readonly id: string;
  readonly text: string;
  readonly time: string;
  readonly dateTime: string;
  readonly dismissLabel: string;
  readonly tone: 'notice' | 'full';
};

export type MeterFigures = {
  readonly level: Level;
  readonly enforcement: 'HARD' | 'SOFT';
  /** Of the alternatives a reader knows without colour: an icon and these words. `null` while calm. */
  readonly sign: string | null;
  readonly used: string;
  /** What stands beside it: "of 1,000 calls", or the unit alone. */
  readonly ofLimit: string;
  /** "Unlimited", where there is no limit. */
  readonly badge: string | null;
  readonly percent: string | null;
  /** "188 calls left", "12 calls over"; `null` when unlimited. */
  readonly rest: string | null;
  readonly credits: string | null;
  readonly reset: { readonly text: string; readonly dateTime: string | null };
  readonly outlook: string;
  /** One line with all of it, for a screen reader. */
  readonly valueText: string;
  /** `null` where there is nothing to measure against. */
  readonly bar: MeterBar | null;
  /** Whether an upgrade is worth offering: near, at or over the limit, or nothing included. */
  readonly nearLimit: boolean;
};

export type MeterNotice = { readonly kind: Problem; readonly title: string; readonly hint: string };

export type MeterView = {
  readonly title: string;
  /** What is drawn: a skeleton, the figures (`stale` when they may be behind), or a notice instead of them. */
  readonly phase: 'loading' | 'live' | 'stale' | 'problem';
  readonly figures: MeterFigures | null;
  readonly notice: MeterNotice | null;
  /** Newest first; as many as a reader takes in. */
  readonly alerts: readonly MeterAlertView[];
  /** "2 more", where there are. */
  readonly moreAlerts: string | null;
  /** The strings that never depend on the usage. */
  readonly text: (key: MessageKey, values?: Readonly<Record<string, string>>) => string;
};

/** More open alerts than this are counted, not listed. */
const ALERTS_SHOWN = 3;

export function describeMeter(state: MeterState, options: MeterOptions): MeterView {
  const { usage, problem } = state;
  const text: MeterView['text'] = (key, values) => say(options.messages, key, values);
  const formats = createFormats(options);
  const title = options.label || usage?.feature.displayName || text('fallbackTitle');
  const alerts = usage && !problem ? describeAlerts(state.alerts, usage, formats, options) : [];
  const more = alerts.length - ALERTS_SHOWN;
  return {
    title,
    phase: problem ? 'problem' : !usage ? 'loading' : state.connection === 'live' ? 'live' : 'stale',
    figures: usage && !problem ? figuresOf(usage, formats, options) : null,
    notice: problem && { kind: problem, title: text(problem), hint: text(`${problem}Hint`) },
    alerts: alerts.slice(0, ALERTS_SHOWN),
    moreAlerts: more > 0 ? text('moreAlerts', { count: formats.number(String(more)) }) : null,
    text,
  };
}

function figuresOf(usage: MeterUsage, formats: Formats, { now, messages }: MeterOptions): MeterFigures {
  const { used, limit, period, feature } = usage;
  const scale = scaleOf(usage);
  const percent = limit === null ? null : percentText(used, limit, formats, messages);
  const quantity = (decimal: string): string => formats.quantity(decimal, feature.unit);
  const values = {
    used: quantity(used),
    usedNumber: formats.number(used),
    limit: limit === null ? '' : quantity(limit),
    percent: percent ?? '',
  };
  const valueText = say(messages, limit === null ? 'valueTextUnlimited' : 'valueText', values);
  return {
    level: scale.level,
    enforcement: usage.enforcement,
    sign: signOf(scale.level, limit === null, messages),
    used: formats.number(used),
    ofLimit: limit === null ? formats.unit(used, feature.unit) : say(messages, 'ofLimit', values),
    badge: limit === null ? say(messages, 'noLimit') : null,
    percent,
    rest: limit === null || percent === null ? null : restOf(used, limit, quantity, messages),
    credits: compare(usage.credits, '0') > 0 ? say(messages, 'credits', { credits: quantity(usage.credits) }) : null,
    reset: {
      text:
        period.end === null
          ? say(messages, 'neverResets')
          : say(messages, 'resets', { reset: formats.moment(period.end, now) }),
      dateTime: period.end,
    },
    outlook: outlookOf(usage, formats, now, messages),
    valueText: percent === null ? valueText.replace(/, $/, '') : valueText,
    bar:
      scale.end === null
        ? null
        : {
            within: scale.within,
            filled: scale.filled,
            stage: scale.stage,
            ticks: scale.ticks.map(({ at, position, reached }) => ({
              position,
              reached,
              label: say(messages, 'tick', { at: quantity(at) }),
            })),
            valueNow: Math.min(Number(used), Number(scale.end)), // a sum of approximations no one reads: the text is exact
            valueMax: Number(scale.end),
          },
    nearLimit: limit !== null && scale.level !== 'calm',
  };
}

/** "<1%" rather than "0%" for a little: nothing used and hardly anything used are different news. */
function percentText(used: string, limit: string, formats: Formats, messages: Messages | undefined): string | null {
  const percent = wholePercent(used, limit);
  if (percent === null) return null;
  if (percent > 0n || compare(used, '0') <= 0) return formats.percent(percent);
  return say(messages, 'lessThanOnePercent', { percent: formats.percent(1n) });
}

function restOf(
  used: string,
  limit: string,
  quantity: (decimal: string) => string,
  messages: Messages | undefined,
): string {
  const rest = subtract(limit, used);
  if (compare(rest, '0') >= 0) return say(messages, 'remaining', { remaining: quantity(rest) });
  return say(messages, 'overBy', { over: quantity(subtract(used, limit)) });
}

function signOf(level: Level, isUnlimited: boolean, messages: Messages | undefined): string | null {
  const keys = {
    calm: null,
    notice: isUnlimited ? 'passed' : 'near',
    full: 'full',
    over: 'over',
    none: 'nothingIncluded',
  } as const;
  const key = keys[level];
  return key && say(messages, key);
}

/** Newest first, and only of this period: a threshold crossed before the reset is no news any more. */
function describeAlerts(
  alerts: readonly MeterAlert[],
  { period, feature }: MeterUsage,
  formats: Formats,
  { messages, now }: MeterOptions,
): readonly MeterAlertView[] {
  const start = Date.parse(period.start);
  const current = alerts.filter(
    ({ featureKey, raisedAt }) => featureKey === feature.key && Date.parse(raisedAt) >= start,
  );
  return current.reverse().map((alert) => {
    const text = alertText(alert, feature.unit, formats, messages);
    return {
      id: alert.id,
      text,
      time: formats.moment(alert.raisedAt, now),
      dateTime: alert.raisedAt,
      dismissLabel: say(messages, 'dismiss', { text }),
      tone: isFull(alert) ? 'full' : 'notice',
    };
  });
}

function alertText(alert: MeterAlert, unit: string | null, formats: Formats, messages: Messages | undefined): string {
  const { kind, value, falling } = alert.threshold;
  const quantity = (decimal: string): string => formats.quantity(decimal, unit);
  const limit = alert.limit === null ? '' : quantity(alert.limit);
  const values = { used: quantity(alert.used), limit, at: quantity(value) };
  if (kind === 'REMAINING') return say(messages, 'alertRemaining', values);
  if (kind === 'USED' && !falling) return say(messages, 'alertUsed', values);
  if (kind === 'REMAINING_FRACTION' && alert.limit !== null) {
    return say(messages, 'alertRemaining', { ...values, at: quantity(multiply(alert.limit, value)) });
  }
  if (kind !== 'FRACTION' || falling || alert.limit === null) {
    return say(messages, 'alertUsed', { ...values, at: values.used });
  }
  if (isFull(alert)) return say(messages, 'alertFull', values);
  return say(messages, 'alertFraction', { ...values, percent: formats.percent(wholePercent(value, '1') ?? 0n) });
}

/** Whether this alert says that the limit is reached, not merely near. */
function isFull({ threshold, limit }: MeterAlert): boolean {
  const place = placeOf(threshold, limit);
  return limit !== null && place !== null && compare(place, limit) >= 0;
}
