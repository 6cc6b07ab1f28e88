/** outlook — one plain sentence on what happens next: the promise a reader can plan by. Pure. */
import { compare } from './decimal.ts';
import type { Formats, Money } from './format.ts';
import { type MessageKey, type Messages, say } from './messages.ts';
import type { MeterUsage } from './types.ts';

export function outlookOf(usage: MeterUsage, formats: Formats, now: number, messages: Messages | undefined): string {
  const { limit, period, feature, estimatedCost } = usage;
  const price = unitPriceOf(usage);
  return say(messages, promiseOf(usage), {
    limit: limit === null ? '' : formats.quantity(limit, feature.unit),
    reset: period.end === null ? '' : formats.moment(period.end, now),
    one: feature.unit ? formats.unit('1', feature.unit) : say(messages, 'one'),
    price: price ? formats.money(price) : '',
    cost: estimatedCost ? formats.money(estimatedCost) : '',
  });
}

/** What one more unit costs, where that is one price: not in packages, tiers or percent. */
const unitPriceOf = ({ price }: MeterUsage): Money | null =>
  price?.unitAmount && !price.packageSize ? { amount: price.unitAmount, currency: price.currency } : null;

/** Which sentence holds; the words come from the messages. */
function promiseOf(usage: MeterUsage): MessageKey {
  const { used, limit, enforcement, period } = usage;
  if (limit === null) return promiseWithoutLimit(usage);
  const reached = compare(used, limit) >= 0;
  const isZero = compare(limit, '0') <= 0;
  if (enforcement === 'HARD') {
    if (isZero) return 'zeroRefused';
    if (reached) return period.end === null ? 'refused' : 'refusedUntil';
    return period.end === null ? 'nextRefused' : 'nextRefusedUntil';
  }
  if (unitPriceOf(usage)) {
    if (reached && costsSomething(usage)) return 'pricedSoFar';
    return isZero ? 'pricedFromFirst' : reached ? 'priced' : 'nextPriced';
  }
  if (usage.estimatedCost) {
    if (reached && costsSomething(usage)) return 'billedSoFar';
    return reached ? 'billed' : 'nextBilled';
  }
  return reached ? 'allowed' : 'nextAllowed';
}

function promiseWithoutLimit(usage: MeterUsage): MessageKey {
  const hasCredits = compare(usage.credits, '0') > 0;
  if (unitPriceOf(usage)) {
    if (costsSomething(usage)) return 'pricedSoFar';
    return hasCredits ? 'pricedAfterCredits' : 'pricedFromFirst';
  }
  if (!usage.estimatedCost) return 'unlimited';
  return costsSomething(usage) ? 'billedSoFar' : hasCredits ? 'billedAfterCredits' : 'billed';
}

const costsSomething = ({ estimatedCost }: MeterUsage): boolean =>
  estimatedCost !== null && compare(estimatedCost.amount, '0') > 0;
