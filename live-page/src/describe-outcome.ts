/** describe-outcome — what one press of a button was answered, in words. Pure. */
import type { Consumption, Decimal } from '@metergraph/client-sdk';
import { isZero } from './decimal.ts';
import { describeAmount } from './describe-usage.ts';
import { formatLatency, formatMoney, formatNumber } from './format.ts';

/** An answer and how long it took on the way there and back, measured in this page. */
export type Answer = { readonly consumption: Consumption; readonly ms: number };

export type Outcome =
  | { readonly kind: 'once'; readonly answer: Answer }
  | { readonly kind: 'twice'; readonly idempotencyKey: string; readonly first: Answer; readonly second: Answer }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export type OutcomeWords = {
  readonly tone: 'allowed' | 'denied' | 'failed';
  readonly title: string;
  readonly detail: string;
  /** As the API says it, for those who will read it there: `replayed: true`. */
  readonly facts: readonly string[];
  /** "4 ms" */
  readonly latency: string | null;
};

export function describeOutcome(outcome: Outcome): OutcomeWords {
  switch (outcome.kind) {
    case 'once':
      return describeAnswer(outcome.answer);
    case 'twice':
      return describeTwice(outcome);
    case 'failed':
      return { tone: 'failed', title: 'Call failed', detail: outcome.message, facts: [outcome.code], latency: null };
  }
}

function describeAnswer({ consumption, ms }: Answer): OutcomeWords {
  const { allowed, denial, replayed, alerts } = consumption;
  const latency = formatLatency(ms);
  if (denial) {
    const facts = ['allowed: false', `reason: ${denial.reason}`];
    return { tone: 'denied', title: 'Denied', detail: `${denial.message} Nothing was counted.`, facts, latency };
  }
  const facts = [`allowed: ${allowed}`, `replayed: ${replayed}`];
  if (alerts.length > 0) facts.push(`alerts: ${alerts.length}`);
  return { tone: 'allowed', title: 'Allowed', detail: payment(consumption), facts, latency };
}

function describeTwice({ first, second, idempotencyKey }: Extract<Outcome, { kind: 'twice' }>): OutcomeWords {
  const { allowed, usage, amount } = first.consumption;
  const counted = allowed ? `${describeAmount(usage, amount)} counted once` : 'denied once, nothing counted';
  return {
    tone: allowed ? 'allowed' : 'denied',
    title: allowed ? 'Counted once' : 'Denied once',
    detail: `Sent twice with the key ${idempotencyKey.slice(0, 8)}…: ${counted}, and the first answer given again.`,
    facts: [`replayed: ${first.consumption.replayed}, then ${second.consumption.replayed}`],
    latency: formatLatency(first.ms, second.ms),
  };
}

/** "20 e-mails, all included.", "50 GB: 30 included, 20 overage ($0.40)." */
function payment({ usage, amount, split }: Consumption): string {
  const whole = describeAmount(usage, amount);
  const paid: readonly (readonly [Decimal, string])[] = [
    [split.included, 'included'],
    [split.credits, 'from credits'],
    [split.wallet, `from the wallet (${formatMoney(split.walletCharge)})`],
    [split.overage, isZero(split.overageCost.amount) ? 'overage' : `overage (${formatMoney(split.overageCost)})`],
  ];
  const parts = paid.filter(([units]) => !isZero(units));
  const [only] = parts;
  if (!only) return `${whole} counted.`;
  if (parts.length === 1) return `${whole}, all ${only[1]}.`;
  return `${whole}: ${parts.map(([units, by]) => `${formatNumber(units)} ${by}`).join(', ')}.`;
}
