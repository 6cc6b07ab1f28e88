/** meters — what each company of the demo uses of each feature, as a level that rises and falls with time. */
import { contains } from '../domain/period.ts';
import { formatUnits, ONE, type Units } from '../domain/units.ts';
import type { Usage } from '../domain/usage.ts';
import type { ConsumeRequest } from '../metering/requests.ts';
import type { DemoCompany } from './customers.ts';

/** One company's meter of one feature, as it was last seen. */
export type DemoMeter = { readonly company: DemoCompany; usage: Usage };

/** What an unlimited feature is used like. */
const SCALE_WITHOUT_LIMIT = 4_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Units that a company with an appetite of 1 uses in a period, or holds at a time. */
export function scaleOf({ policy }: Usage): number {
  return policy.limit === null ? SCALE_WITHOUT_LIMIT : Number(policy.limit / ONE);
}

/** Whether the demo knows how to use it: what is weighed by time shows another number than its level. */
export const isUsable = ({ entitled, feature }: Usage): boolean => entitled && feature.aggregation !== 'weighted_sum';

/** Whether use of this feature can be given back, so that it goes up and down. */
export const isGauge = ({ policy, feature }: Usage): boolean =>
  policy.minLimit !== null || feature.aggregation === 'latest';

/** Used units at an instant; none where the period that was last seen is over by then, but for a level: it stays. */
export const usedAt = ({ usage }: DemoMeter, atMs: number): Units =>
  usage.feature.aggregation === 'latest' || contains(usage.period, atMs) ? usage.used : 0n;

/** Where the meter should stand at an instant, if by `untilMs` the company's appetite is to be reached. */
export function levelAt(meter: DemoMeter, period: Usage['period'], atMs: number, untilMs: number): number {
  const { company, usage } = meter;
  const full = scaleOf(usage) * company.appetite;
  return full * (isGauge(usage) ? swing(atMs, company.appetite) : risen(period, atMs, untilMs));
}

/** Slowly up and down between a half and the whole, each company in its own rhythm. */
const swing = (atMs: number, appetite: number): number =>
  0.75 + 0.25 * Math.sin((atMs / DAY_MS / (3 + appetite)) * 2 * Math.PI);

/** From nothing to the whole, faster by day than by night. */
function risen({ startMs, endMs }: Usage['period'], atMs: number, untilMs: number): number {
  const lengthMs = (endMs ?? startMs + 30 * DAY_MS) - startMs;
  // A period that has just begun is not rushed: it takes a quarter of its time at least.
  const fullAtMs = Math.max(Math.min(startMs + lengthMs, untilMs), startMs + lengthMs / 4);
  const progress = Math.min(1, (atMs - startMs) / (fullAtMs - startMs));
  const dayAndNight = lengthMs > DAY_MS ? 0.02 * Math.sin((atMs / DAY_MS) * 2 * Math.PI) : 0;
  return Math.max(0, progress + dayAndNight);
}

/**
 * A call that moves a meter by whole units; the history takes what fits, the traffic all or nothing.
 *
 * @param nth Which of several calls at one instant: each names a value that none has named before.
 */
export function requestFor(
  meter: DemoMeter,
  amount: number,
  mode: ConsumeRequest['mode'],
  atMs: number,
  nth = 0,
): ConsumeRequest {
  const { tenantId, customerId, referenceId, feature } = meter.usage;
  const used = usedAt(meter, atMs);
  const change = BigInt(amount) * ONE;
  const isLevel = feature.aggregation === 'latest' || feature.aggregation === 'max';
  return {
    kind: 'consume',
    purpose: 'use',
    tenantId,
    customerId,
    referenceId,
    featureKey: feature.key,
    amount: isLevel ? used + change : change,
    duration: null,
    mode,
    overrideKey: null,
    entityId: null,
    idempotencyKey: null,
    properties:
      feature.of === null ? null : JSON.stringify({ [feature.of]: formatUnits(used + ONE * BigInt(nth + 1)) }),
    occurredAtMs: null,
    refusal: null,
  };
}
