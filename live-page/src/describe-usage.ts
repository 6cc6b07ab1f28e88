/** describe-usage — uses, alerts and amounts in words, by the same function that words the meters. Pure. */
import type { Alert, Decimal, Usage } from '@metergraph/client-sdk';
import { describeMeter } from '@metergraph/web-widget';
import { LOCALE } from './format.ts';
import type { AlertRow } from './stream.ts';

export type UseWords = {
  /** "812" */
  readonly used: string;
  /** "of 1,000 calls", or the unit alone. */
  readonly ofLimit: string;
  /** 0 … 1, for the length of a bar; null where there is no limit. */
  readonly filled: number | null;
  readonly tone: 'calm' | 'notice' | 'full';
};

export function describeUse(usage: Usage, now: number): UseWords {
  const { figures } = meterOf(usage, [], now);
  if (!figures) return { used: usage.used, ofLimit: '', filled: null, tone: 'calm' };
  const { used, ofLimit, bar, level, enforcement } = figures;
  const isBeyond = level === 'full' || level === 'over';
  const tone = isBeyond ? (enforcement === 'HARD' ? 'full' : 'notice') : level === 'notice' ? 'notice' : 'calm';
  return { used, ofLimit, filled: usage.limit === null ? null : (bar?.filled ?? null), tone };
}

/** "80% of 1,000 calls used" */
export function describeAlert({ alert, usage }: AlertRow, now: number): { text: string; tone: 'notice' | 'full' } {
  // The alert's own period began before it: an alert of the last one is still worded.
  const of = { ...(usage ?? unknownUsage(alert)), period: { start: alert.raisedAt, end: null } };
  const [view] = meterOf(of, [alert], now).alerts;
  return { text: view?.text ?? alert.featureKey, tone: view?.tone ?? 'notice' };
}

/** "20 e-mails": so much of what this usage counts. */
export function describeAmount(usage: Usage, amount: Decimal): string {
  const { figures } = meterOf({ ...usage, used: amount, limit: null }, [], 0);
  return figures ? `${figures.used} ${figures.ofLimit}`.trim() : amount;
}

const meterOf = (usage: Usage, alerts: readonly Alert[], now: number) =>
  describeMeter({ connection: 'live', usage, problem: null, alerts, dismissed: new Set() }, { now, locale: LOCALE });

/** As much as an alert itself tells. */
const unknownUsage = ({ referenceId, featureKey, used, limit, threshold, raisedAt, cursor }: Alert): Usage => ({
  referenceId,
  feature: { key: featureKey, displayName: featureKey, unit: null },
  planKey: null,
  entitled: true,
  used,
  reserved: '0',
  limit,
  remaining: null,
  enforcement: 'HARD',
  value: null,
  thresholds: [threshold],
  price: null,
  period: { start: raisedAt, end: null },
  credits: '0',
  wallet: null,
  overage: '0',
  estimatedCost: null,
  cursor,
});
