/** ask — one call as the model judges it. */
import type { ConsumeMode } from '../../server/domain/meter-state.ts';
import type { Units } from '../../server/domain/units.ts';

export type Ask = {
  readonly featureKey: string;
  readonly amount: Units;
  readonly mode: ConsumeMode;
  /** `record` has happened already, and is not refused for lack of anything; `hold` reserves. */
  readonly purpose: 'use' | 'record' | 'hold';
  readonly entityId: string | null;
  /** The value to count, of a feature that counts distinct ones. */
  readonly value: string | null;
  readonly atMs: number;
};
