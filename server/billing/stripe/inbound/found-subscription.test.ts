/**
 * Goal: what Stripe says of a subscription, in our words: its plan, price, period, and since when it is not paid. Method:
 * tables of objects that hold what is read of them, and no more.
 */
import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { foundSubscription } from './found-subscription.ts';
import { openSinceMs } from './open-since.ts';
import { subjectOf } from './subject.ts';

const MARCH = { current_period_start: 100, current_period_end: 200 };
const YEAR = { current_period_start: 100, current_period_end: 900 };

type ItemFields = {
  readonly metadata?: Stripe.Metadata;
  readonly usage?: 'licensed' | 'metered';
  readonly interval?: string;
  readonly count?: number;
  readonly currency?: string;
  readonly period?: typeof MARCH;
};

const item = (fields: ItemFields = {}) => ({
  ...(fields.period ?? MARCH),
  price: {
    metadata: fields.metadata ?? {},
    currency: fields.currency ?? 'usd',
    recurring: {
      interval: fields.interval ?? 'month',
      interval_count: fields.count ?? 1,
      usage_type: fields.usage ?? 'licensed',
    },
  },
});

const ours = (plan: string, feature?: string): Stripe.Metadata => ({
  metergraph_tenant: 't',
  metergraph_plan: plan,
  ...(feature !== undefined && { metergraph_feature: feature }),
});

const subscriptionWith = (items: readonly object[], fields: object = {}) =>
  ({
    id: 'sub_1',
    status: 'active',
    metadata: {},
    items: { data: items },
    billing_cycle_anchor: 100,
    created: 90,
    cancel_at: null,
    cancel_at_period_end: false,
    ended_at: null,
    pause_collection: null,
    ...fields,
  }) as unknown as Stripe.Subscription; // as much of it as is read

const known = { id: 'sub_1', planKey: 'pro' };
const found = (subscription: Stripe.Subscription, of: typeof known | null = null) =>
  foundSubscription(subscription, { tenantId: 't', known: of, invoices: [] });

describe('a subscription of Stripe’s', () => {
  const use = item({ metadata: ours('pro', 'calls'), usage: 'metered', period: MARCH });
  const base = item({ metadata: ours('pro'), interval: 'year', currency: 'eur', period: YEAR });
  const addOn = item({ interval: 'week' });
  it.each([
    ['its base price, wherever it stands', [use, addOn, base], {}, null, 'pro year eur 100…900'],
    ['what it is charged by use of, without a base price', [addOn, use], {}, null, 'pro month usd 100…200'],
    [
      'a price every three months is none of a plan',
      [item({ metadata: ours('pro'), count: 3 })],
      {},
      null,
      'pro null usd 100…200',
    ],
    [
      'what it was made for, where no price says a plan',
      [addOn],
      { metadata: ours('team') },
      null,
      'team week usd 100…200',
    ],
    ['what it was known to be, where nothing says so any more', [addOn], {}, known, 'pro week usd 100…200'],
    ['somebody else’s', [addOn], {}, null, null],
    ['another than was known', [addOn], { id: 'sub_2' }, known, null],
    ['of another tenant', [item({ metadata: { ...ours('pro'), metergraph_tenant: 'other' } })], {}, null, null],
  ] as const)('is read by %s', (_what, items, fields, of, says) => {
    const one = found(subscriptionWith(items, fields), of);
    const { planKey, interval, currency, periodStartMs = 0, periodEndMs = 0 } = one ?? {};
    const text = `${planKey} ${interval} ${currency} ${periodStartMs / 1_000}…${periodEndMs / 1_000}`;
    expect(one && text).toBe(says);
  });

  it.each([
    ['active', 'paused'],
    ['trialing', 'paused'],
    ['past_due', 'paused'],
    ['unpaid', 'unpaid'],
    ['incomplete', 'incomplete'],
    ['incomplete_expired', 'incomplete_expired'],
    ['canceled', 'canceled'],
  ])('that is %s, and whose invoices are thrown away, is %s', (status, says) => {
    const pause_collection = { behavior: 'void', resumes_at: null };
    expect(found(subscriptionWith([base], { status, pause_collection }))?.status).toBe(says);
  });
});

describe('since when it is not paid', () => {
  const invoice = (text: string) => {
    const [status, finalized = '', due] = text.split(' ');
    const status_transitions = { finalized_at: Number(finalized) };
    return {
      status,
      due_date: due === undefined ? null : Number(due),
      status_transitions,
    } as unknown as Stripe.Invoice; // as above
  };
  it.each([
    ['when the invoice was final', ['open 50', 'paid 20'], 50],
    ['when the invoice was due, where it was sent', ['open 50 80'], 80],
    ['when the first in a row was', ['open 50', 'open 40', 'open 30 35', 'paid 20', 'open 10'], 35],
    ['not by what is a draft', ['draft 60', 'open 50', 'paid 20'], 50],
    ['not before it was paid, or called off', ['open 50', 'void 45', 'open 40'], 50],
    ['not to be seen', ['draft 60', 'paid 20', 'open 10'], null],
    ['not to be seen without invoices', [], null],
  ] as const)('%s', (_what, invoices, since) => {
    expect(openSinceMs(invoices.map(invoice))).toBe(since === null ? null : since * 1_000);
  });
});

it.each([
  ['customer.subscription.paused', { customer: 'cus_1' }, 'customer cus_1'],
  ['invoice.upcoming', { customer: { id: 'cus_1' } }, 'customer cus_1'],
  ['refund.failed', { payment_intent: 'pi_1' }, 'payment pi_1'],
  ['refund.failed', { payment_intent: null }, 'nothing'],
  ['product.created', { id: 'prod_1' }, 'nothing'],
])('%s of %j is about %s', (type, object, says) => {
  const subject = subjectOf({ type, data: { object } } as unknown as Stripe.Event); // as above
  expect(subject ? `${subject.kind} ${subject.id}` : 'nothing').toBe(says);
});
