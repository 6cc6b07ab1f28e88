/** steps — by how much the buttons of a meter consume: one, and as much as can be seen. Pure. */
import type { Decimal } from '@metergraph/client-sdk';
import type { ShownUsage } from './overview.ts';

/** Of the limit: enough to see the bar move, and to be at its end after a few presses. */
const VISIBLE_SHARE = 20;

/** `['1', '50']` for a limit of 1,000: the larger is a round number of about a twentieth. Events are counted singly. */
export function stepsFor({ limit, used, feature }: ShownUsage): readonly Decimal[] {
  if (feature.aggregation === 'COUNT') return ['1'];
  const scale = Number(limit ?? used); // only for the choice of a round number
  return ['1', String(Math.max(littleOf(limit === null ? Infinity : scale), roundNumber(scale / VISIBLE_SHARE)))];
}

/** More than one, even where a twentieth is less; of a very small limit, not all of it at once. */
const littleOf = (limit: number): number => Math.min(5, Math.max(2, Math.floor(limit / 2)));

/** The largest of 1, 2, 5, 10, 20, 50 … that is not above `value`; 1 below that. */
function roundNumber(value: number): number {
  if (!(value >= 1) || value > Number.MAX_SAFE_INTEGER) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const lead = [5, 2, 1].find((digit) => digit * magnitude <= value) ?? 1;
  return lead * magnitude;
}
