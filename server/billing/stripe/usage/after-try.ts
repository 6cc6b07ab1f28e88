/** after-try — what becomes of a message: it has arrived, it is dead, or it waits for so long. Pure. */
import { backoffMs } from '../../../domain/usage-report.ts';
import type { Message, Outcome } from './messages.ts';
import type { Tried } from './outcome.ts';

/** When it is, and how random waits are: from 0 until before 1. */
export type Moment = { readonly nowMs: number; readonly random: number };

/** The code of what was leased, and not sent. */
const NOT_SENT = 'not_sent';

/** Stripe was not asked, and may be so much later. */
export const notSent = (afterMs: number): Tried => ({
  kind: 'refused',
  whom: 'message',
  code: NOT_SENT,
  sentence: 'Stripe takes no more just now.',
  retryAfterMs: Math.max(afterMs, 0),
});

export function outcomeOf(message: Message, tried: Tried, { nowMs, random }: Moment): Outcome {
  if (tried.kind === 'delivered') return delivered(message, nowMs);
  if (tried.kind === 'dead') return dead(message, tried, nowMs);
  const jitterMs = backoffMs(tried.code === NOT_SENT ? 0 : message.attempts, random);
  const afterMs = jitterMs + (tried.retryAfterMs ?? 0);
  const why = { code: tried.code, sentence: tried.sentence };
  return { message, state: 'waiting', why, nextAttemptAtMs: nowMs + afterMs, isUnknown: tried.kind === 'unknown' };
}

type Why = NonNullable<Outcome['why']>;

export const delivered = (message: Message, nowMs: number): Outcome => ({
  message,
  state: 'delivered',
  why: null,
  nextAttemptAtMs: nowMs,
  isUnknown: false,
});

export const dead = (message: Message, { code, sentence }: Why, nowMs: number): Outcome => ({
  message,
  state: 'dead',
  why: { code, sentence },
  nextAttemptAtMs: nowMs,
  isUnknown: false,
});

export const waits = (message: Message, why: Why, nextAttemptAtMs: number): Outcome => ({
  message,
  state: 'waiting',
  why,
  nextAttemptAtMs,
  isUnknown: false,
});
