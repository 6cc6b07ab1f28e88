/** notices-of-money — what there is to tell of wallets, plans and billers. Pure. */
import { type DeadLetterData, isoOf, type Notice, type SubscriptionData } from './notice.ts';
import { formatUnits, type Units } from './units.ts';

/** Whose it is, and the customer's sequence at which it happened: it happens once at each. */
type Moment = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  readonly sequence: bigint;
  readonly atMs: number;
};

export const balanceLow = (
  moment: Moment,
  currency: string,
  { balance, threshold, asked }: { readonly balance: Units; readonly threshold: Units; readonly asked: Units | null },
): Notice<'balance.low'> => ({
  ...about(moment),
  type: 'balance.low',
  data: {
    currency,
    balance: formatUnits(balance),
    threshold: formatUnits(threshold),
    topUpAsked: asked === null ? null : formatUnits(asked),
  },
  dedupeKey: `low ${moment.customerId} ${moment.sequence} ${currency}`,
});

export const balanceToppedUp = (
  moment: Moment,
  currency: string,
  { amount, balance }: { readonly amount: Units; readonly balance: Units },
): Notice<'balance.topped_up'> => ({
  ...about(moment),
  type: 'balance.topped_up',
  data: { currency, amount: formatUnits(amount), balance: formatUnits(balance) },
  dedupeKey: `top-up ${moment.customerId} ${moment.sequence} ${currency}`,
});

export const planChanged = (
  moment: Moment,
  plan: Pick<SubscriptionData, 'planKey' | 'previousPlanKey'> & { readonly effectiveAtMs: number },
): Notice<'subscription.changed'> => ({
  ...about(moment),
  type: 'subscription.changed',
  data: {
    change: 'plan',
    planKey: plan.planKey,
    previousPlanKey: plan.previousPlanKey,
    status: null,
    previousStatus: null,
    effectiveAt: isoOf(plan.effectiveAtMs),
  },
  dedupeKey: `plan ${moment.customerId} ${moment.sequence}`,
});

/** How a subscription stands at the biller. @param key Names this very change, e.g. by the biller's event or revision of it. */
export const subscriptionStatusChanged = (
  of: Omit<Moment, 'sequence'>,
  data: Omit<SubscriptionData, 'change'>,
  key: string,
): Notice<'subscription.changed'> => ({
  ...about(of),
  type: 'subscription.changed',
  data: { change: 'status', ...data },
  dedupeKey: `subscription ${of.customerId} ${key}`,
});

/** Told again when it is sent again, and is not taken again. @param of Null for what is no customer's. */
export const deadLetter = (
  tenantId: string,
  of: { readonly customerId: string; readonly referenceId: string } | null,
  data: DeadLetterData,
  atMs: number,
): Notice<'billing.dead_letter'> => ({
  type: 'billing.dead_letter',
  tenantId,
  customer: of,
  data,
  dedupeKey: `dead letter ${data.biller} ${data.kind} ${data.reference} ${atMs}`,
  atMs,
});

const about = ({ tenantId, customerId, referenceId, atMs }: Omit<Moment, 'sequence'>) => ({
  tenantId,
  customer: { customerId, referenceId },
  atMs,
});
