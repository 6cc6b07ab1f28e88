/** steps — by how much the buttons of a meter consume: one, and as much as can be seen. Pure. */
import type { Decimal, Usage } from '@metergraph/client-sdk';

/** Of the limit; a bar on a phone is about this many pixels times ten. */
const VISIBLE_SHARE = 20;

/** `['1', '50']` for a limit of 1,000: the larger is a round number of about a twentieth of the limit. */
export function stepsFor({ limit, used }: Pick<Usage, 'limit' | 'used'>): readonly [Decimal, Decimal] {
  const scale = Number(limit ?? used); // only for the choice of a round number
  return ['1', String(Math.max(5, roundNumber(scale / VISIBLE_SHARE)))];
}

/** The largest of 1, 2, 5, 10, 20, 50 … that is not above `value`; 1 below that. */
function roundNumber(value: number): number {
  if (!(value >= 1) || value > Number.MAX_SAFE_INTEGER) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const lead = [5, 2, 1].find((digit) => digit * magnitude <= value) ?? 1;
  return lead * magnitude;
}
