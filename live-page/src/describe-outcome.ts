/** describe-outcome — what one press of a button was answered, in words. Pure. */
import type { Consumption, Decimal, Split } from '@metergraph/client-sdk';
import { isZero } from './decimal.ts';
import { formatLatency, formatMoney, formatQuantity } from './format.ts';

/** An answer and how long it took on the way there and back, measured in this page. */
export type Answer = { readonly consumption: Consumption; readonly ms: number };

export type Outcome =
  | { readonly kind: 'once'; readonly answer: Answer }
  | { readonly kind: 'twice'; readonly idempotencyKey: string; readonly first: Answer; readonly second: Answer }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export type DecisionWords = {
  readonly tone: 'allowed' | 'denied' | 'failed';
  readonly title: string;
  readonly detail: string;
  /** As the API says it, for those who will read it there: `replayed: true`. */
  readonly facts: readonly string[];
  /** "4 ms" */
  readonly latency: string | null;
};

export function describeOutcome(outcome: Outcome): DecisionWords {
  if (outcome.kind === 'failed') {
    return { tone: 'failed', title: 'No answer', detail: outcome.message, facts: [outcome.code], latency: null };
  }
  return outcome.kind === 'once' ? describeAnswer(outcome.answer) : describeTwice(outcome);
}

function describeAnswer({ consumption, ms }: Answer): DecisionWords {
  const { usage, amount, split, denial, replayed, alerts } = consumption;
  const latency = formatLatency(ms);
  const facts = [`allowed: ${consumption.allowed}`, `replayed: ${replayed}`];
  if (denial) {
    const detail = `${denial.message.replace(/\.?$/, '.')} Nothing was counted.`;
    return { tone: 'denied', title: 'Denied', detail, facts: [`reason: ${denial.reason}`, ...facts], latency };
  }
  const unit = usage.feature.unit;
  const raised =
    alerts.length === 0 ? '' : alerts.length === 1 ? ' One alert raised.' : ` ${alerts.length} alerts raised.`;
  return {
    tone: 'allowed',
    title: 'Allowed',
    detail: `${formatQuantity(amount, unit)} counted: ${partsOf(split, unit).join(', ') || 'no charge'}.${raised}`,
    facts,
    latency,
  };
}

function describeTwice({ first, second, idempotencyKey }: Extract<Outcome, { kind: 'twice' }>): DecisionWords {
  const { allowed, amount, usage } = first.consumption;
  const once = allowed
    ? `${formatQuantity(amount, usage.feature.unit)} counted once`
    : 'the same denial, nothing counted';
  return {
    tone: allowed ? 'allowed' : 'denied',
    title: allowed ? 'Sent twice, counted once' : 'Sent twice, denied once',
    detail: `Both calls carried the key ${idempotencyKey.slice(0, 8)}…: ${once}.`,
    facts: [`1st replayed: ${first.consumption.replayed}`, `2nd replayed: ${second.consumption.replayed}`],
    latency: `${formatLatency(first.ms)} + ${formatLatency(second.ms)}`,
  };
}

/** What paid for it, without the parts that did not. */
function partsOf(
  { included, credits, wallet, overage, walletCharge, overageCost }: Split,
  unit: string | null,
): string[] {
  const part = (units: Decimal, words: string): string[] =>
    isZero(units) ? [] : [`${formatQuantity(units, unit)} ${words}`];
  return [
    ...part(included, 'included'),
    ...part(credits, 'from credits'),
    ...part(wallet, `from the wallet (${formatMoney(walletCharge)})`),
    ...part(overage, isZero(overageCost.amount) ? 'overage' : `overage (${formatMoney(overageCost)})`),
  ];
}
