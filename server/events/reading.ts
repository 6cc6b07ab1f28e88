/** reading — what a person sees of a meter, as one text: equal texts, nothing to tell. Written once for all who watch. */
import type { Usage } from '../domain/usage.ts';

const readings = new WeakMap<Usage, string>();

export function readingOf(usage: Usage): string {
  const known = readings.get(usage);
  if (known !== undefined) return known;
  const reading = written(usage);
  readings.set(usage, reading);
  return reading;
}

function written(usage: Usage): string {
  const { feature, planKey, entitled, policy, period, used, reserved, credits, wallet, overage, estimatedCost } = usage;
  const meter = [feature.displayName, feature.unit, planKey, entitled, period.startMs, period.endMs, policy];
  return JSON.stringify([meter, used, reserved, credits, wallet, overage, estimatedCost], (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
