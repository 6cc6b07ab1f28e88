/** told — domain values in the words of hooks: decimals as text, instants as ISO 8601. */
import type { Split } from '../domain/decision.ts';
import type { Feature } from '../domain/feature.ts';
import type { HookContext } from '../domain/hook.ts';
import type { Money } from '../domain/money.ts';
import type { Payment } from '../domain/payment.ts';
import { formatUnits } from '../domain/units.ts';
import type { Usage } from '../domain/usage.ts';
import type {
  AfterCall,
  BeforeCall,
  HookCall,
  HookCustomer,
  HookFeature,
  HookMoney,
  HookSplit,
  HookUsage,
} from '../hooks.ts';

const CALLS: Readonly<Record<HookContext['request']['purpose'], HookCall>> = {
  use: 'consume',
  record: 'record',
  hold: 'reserve',
};

/** @param proposal What the decision is about to do; null before there is one. */
export function beforeCallOf({ usage, request, proposal }: Omit<HookContext, 'proposal'> & Proposal): BeforeCall {
  return {
    call: CALLS[request.purpose],
    customer: customerOf(usage),
    feature: featureOf(usage.feature),
    entityId: request.entityId,
    amount: formatUnits(request.amount),
    usage: usageOf(usage),
    proposal: proposal && { amount: formatUnits(proposal.amount), split: splitOf(proposal.payment) },
    properties: propertiesOf(request.properties),
    idempotencyKey: request.idempotencyKey,
  };
}

type Proposal = { readonly proposal: HookContext['proposal'] | null };

/** What was allowed, and of what call. */
export type Allowed = {
  readonly usage: Usage;
  readonly amount: bigint;
  readonly split: Split;
  readonly entityId: string | null;
  /** As JSON text, or null. */
  readonly properties: string | null;
  readonly idempotencyKey: string | null;
};

export const afterCallOf = ({ usage, amount, split, entityId, properties, idempotencyKey }: Allowed): AfterCall => ({
  customer: customerOf(usage),
  feature: featureOf(usage.feature),
  entityId,
  amount: formatUnits(amount),
  split: splitOf(split),
  usage: usageOf(usage),
  properties: propertiesOf(properties),
  idempotencyKey,
});

const customerOf = ({ referenceId, planKey }: Usage): HookCustomer => ({ referenceId, planKey });

const featureOf = ({ key, displayName, unit, aggregation }: Feature): HookFeature => ({
  key,
  displayName,
  unit,
  aggregation,
});

const usageOf = (usage: Usage): HookUsage => ({
  used: formatUnits(usage.used),
  reserved: formatUnits(usage.reserved),
  limit: usage.policy.limit === null ? null : formatUnits(usage.policy.limit),
  remaining: usage.remaining === null ? null : formatUnits(usage.remaining),
  credits: formatUnits(usage.credits),
  wallet: moneyOf(usage.wallet),
  overage: formatUnits(usage.overage),
  estimatedCost: moneyOf(usage.estimatedCost),
  period: {
    start: new Date(usage.period.startMs).toISOString(),
    end: usage.period.endMs === null ? null : new Date(usage.period.endMs).toISOString(),
  },
});

const moneyOf = (money: Money | null): HookMoney | null =>
  money && { amount: formatUnits(money.amount), currency: money.currency };

const splitOf = ({ included, credits, wallet, overage }: Split | Payment): HookSplit => ({
  included: formatUnits(included),
  credits: formatUnits(credits),
  wallet: formatUnits(wallet),
  overage: formatUnits(overage),
});

/** Each hook gets its own copy: what it does to it is nobody else's. The text is an object's, by the bounds of the API. */
const propertiesOf = (text: string | null): BeforeCall['properties'] => (text === null ? null : JSON.parse(text));
