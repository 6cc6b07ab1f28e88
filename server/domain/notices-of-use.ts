/** notices-of-use — what there is to tell of meters: a threshold, a limit, the end of a period. Pure. */
import type { Alert } from './alert.ts';
import { type Counter, owed } from './counter.ts';
import { type Notice, periodData } from './notice.ts';
import type { Period } from './period.ts';
import { formatUnits, type Units } from './units.ts';

/** A feature of a customer, in a period. */
export type MeterPeriod = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly period: Period;
};

export const thresholdReached = (alert: Alert): Notice<'usage.threshold_reached'> => ({
  ...aboutMeter(alert),
  type: 'usage.threshold_reached',
  data: {
    featureKey: alert.featureKey,
    threshold: {
      kind: alert.threshold.kind,
      value: formatUnits(alert.threshold.value),
      falling: alert.threshold.falling === true,
    },
    used: formatUnits(alert.used),
    limit: alert.limit === null ? null : formatUnits(alert.limit),
    period: periodData(alert.period),
    sequence: alert.sequence.toString(),
  },
  dedupeKey: `alert ${alert.sequence}`,
  atMs: alert.raisedAtMs,
});

/** The same of a limit and period, however often it happens: the first refusal, or the first use beyond the limit. */
export const limitExceeded = (
  meter: MeterPeriod,
  { how, used, limit }: { readonly how: 'denied' | 'passed'; readonly used: Units; readonly limit: Units | null },
  atMs: number,
): Notice<'limit.exceeded'> => ({
  ...aboutMeter(meter),
  type: 'limit.exceeded',
  data: {
    featureKey: meter.featureKey,
    how,
    used: formatUnits(used),
    limit: limit === null ? null : formatUnits(limit),
    period: periodData(meter.period),
  },
  dedupeKey: limitKeyOf(meter, limit),
  atMs,
  knownUntilMs: meter.period.endMs,
});

/** Another limit in the same period is something else to reach. */
export const limitKeyOf = ({ customerId, featureKey, period }: MeterPeriod, limit: Units | null): string =>
  `limit ${customerId} ${featureKey} ${period.startMs} ${limit === null ? 'none' : formatUnits(limit)}`;

type Totals = Pick<Counter, 'used' | 'credits' | 'wallet' | 'overage' | 'cost' | 'walletCharge'>;

/** @param currency That of its cost, or of the feature's price where it costs nothing; null without either. */
export const periodClosed = (
  meter: MeterPeriod,
  counter: Totals,
  currency: string | null,
  atMs: number,
): Notice<'period.closed'> => ({
  ...aboutMeter(meter),
  type: 'period.closed',
  data: {
    featureKey: meter.featureKey,
    period: periodData(meter.period),
    used: formatUnits(counter.used),
    credits: formatUnits(counter.credits),
    wallet: formatUnits(counter.wallet),
    overage: formatUnits(counter.overage),
    walletCharge: currency === null ? null : formatUnits(counter.walletCharge),
    overageCost: currency === null ? null : formatUnits(owed(counter)),
    currency,
  },
  dedupeKey: `period ${meter.customerId} ${meter.featureKey} ${meter.period.startMs}`,
  atMs,
});

const aboutMeter = ({ tenantId, customerId, referenceId }: MeterPeriod) => ({
  tenantId,
  customer: { customerId, referenceId },
});
