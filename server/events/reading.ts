/** reading — what a person sees of a meter, as one text: equal texts, nothing to tell. */
import { thresholdKey } from '../domain/threshold.ts';
import type { Usage } from '../domain/usage.ts';

export function readingOf({ feature, planKey, entitled, policy, period, used, overage }: Usage): string {
  const { limit, included, enforcement, minLimit, thresholds, price } = policy;
  const shown = [
    feature.displayName,
    feature.unit,
    planKey,
    entitled,
    enforcement,
    price?.currency,
    period.startMs,
    period.endMs,
  ];
  const units = [limit, included, minLimit, price?.unitAmount, used, overage].map(String);
  return JSON.stringify([shown, units, thresholds.map(thresholdKey)]);
}
