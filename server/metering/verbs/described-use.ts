/** described-use — one use as the verbs hand it on to be decided. */
import type { Hook } from '../../domain/decision.ts';
import type { EventKind } from '../../domain/event.ts';
import type { ConsumeMode } from '../../domain/meter-state.ts';
import type { Units } from '../../domain/units.ts';

/** One use as the verbs describe it. */
export type Use = {
  readonly kind: EventKind;
  readonly purpose: 'use' | 'record' | 'hold';
  readonly amount: Units;
  /** The ISO 8601 text that the amount was said as; left out where it was said as a number. */
  readonly duration?: string;
  readonly mode: ConsumeMode;
  readonly entityId: string | null;
  /** When it happened; null for now. */
  readonly occurredAtMs: number | null;
  /** Hash of the distinct value, for features that count those. */
  readonly value: string | null;
  readonly idempotencyKey: string | null;
  readonly properties: string | null;
  readonly reverses: bigint | null;
  readonly hook: Hook | null;
};
