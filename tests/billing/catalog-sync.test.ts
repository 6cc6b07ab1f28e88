/**
 * Goal: after a sync Stripe has what the catalog says, whatever was there, whatever went wrong and whoever else did it,
 * and nothing that has a history is gone. Method: configs by chance against the fake Stripe, which checks every request.
 */
import fc from 'fast-check';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { Reader } from '../../server/billing/stripe/catalog/actual.ts';
import { lineOfChange } from '../../server/billing/stripe/catalog/change.ts';
import { desiredOf } from '../../server/billing/stripe/catalog/desired.ts';
import { compareCatalog, syncCatalog } from '../../server/billing/stripe/catalog/sync.ts';
import { StripeSyncError } from '../../server/billing/stripe/catalog/sync-error.ts';
import { MARK, TENANT } from '../../server/billing/stripe/catalog/testing/catalog-of.ts';
import type { Account } from '../support/stripe/account.ts';
import type { Fault } from '../support/stripe/faults.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';
import { type AnyConfig, afterAll, anyConfig } from './catalogs.ts';

const RUNS = { numRuns: 25 };

const readerOf = ({ sdk }: StripeRig, on: Reader['on'] = {}): Reader => ({ stripe: sdk, on, wait: async () => {} });
const desired = (...configs: readonly AnyConfig[]) => desiredOf(TENANT, afterAll(configs));

const sync = (rig: StripeRig, ...configs: readonly AnyConfig[]) => syncCatalog(readerOf(rig), desired(...configs));
const linesLeft = async (rig: StripeRig, ...configs: readonly AnyConfig[]) =>
  (await compareCatalog(readerOf(rig), desired(...configs))).changes.map(lineOfChange);

/** All that can be bought, without ids that Stripe gives. */
function onSale(account: Account): unknown {
  const meterName = (id: string | null | undefined) => account.meters.find(id ?? undefined)?.event_name ?? null;
  const prices = account.prices
    .all(({ active }) => active)
    .map(({ id, created, recurring, ...price }) => ({
      ...price,
      recurring: { ...recurring, meter: meterName(recurring?.meter) },
    }));
  const products = account.products.all(({ active }) => active).map(({ created, updated, ...product }) => product);
  return { products: sorted(products, ({ id }) => id), prices: sorted(prices, ({ lookup_key }) => `${lookup_key}`) };
}
const sorted = <T>(rows: readonly T[], by: (row: T) => string): T[] =>
  [...rows].sort((a, b) => (by(a) < by(b) ? -1 : 1));

/** Of two active ones nobody knows which is meant. */
function twins(account: Account): readonly unknown[] {
  const names = [
    ...account.prices.all(({ active }) => active).map(({ metadata }) => metadata.metergraph_price),
    ...account.meters.all(({ status }) => status === 'active').map(({ event_name }) => event_name),
  ];
  return names.filter((name, i) => names.indexOf(name) !== i);
}

const PRO: AnyConfig = {
  features: {
    calls: { displayName: 'API calls', unit: 'call', price: { unitAmount: 10 } },
    storage: { displayName: 'Storage', unit: 'GB', reset: 'monthly', anchor: 'subscription' },
  },
  plans: {
    pro: {
      displayName: 'Pro',
      price: [
        { amount: 2_000, currency: 'usd', interval: 'month' },
        { amount: 20_000, currency: 'usd', interval: 'year' },
      ],
      features: {
        calls: true,
        storage: {
          price: {
            tiers: [
              { upTo: 1_000, unitAmount: 10 },
              { upTo: null, unitAmount: 8 },
            ],
          },
        },
      },
    },
  },
};

describe('a catalog', () => {
  it('is all there, named and keyed, and each feature has a line of its own', async () => {
    const rig = await openStripe();
    await sync(rig, PRO);
    const { data: products } = await rig.sdk.products.list();
    expect(products.map(({ id, name, unit_label }) => [id, name, unit_label]).sort()).toEqual([
      [`${MARK}_f_calls`, 'API calls', 'call'],
      [`${MARK}_f_storage`, 'Storage', 'GB'],
      [`${MARK}_p_pro`, 'Pro', null],
    ]);
    const { data: meters } = await rig.sdk.billing.meters.list();
    expect(meters).toMatchObject(
      ['storage', 'calls'].map((key) => ({
        event_name: `${MARK}_${key}`,
        default_aggregation: { formula: 'sum' },
        customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
        value_settings: { event_payload_key: 'value' },
      })),
    );
    const { data: prices } = await rig.sdk.prices.list();
    expect(
      prices.map(({ lookup_key, product, recurring }) => `${lookup_key} ${product} ${recurring?.usage_type}`).sort(),
    ).toEqual([
      `${MARK}:pro:base:month:usd ${MARK}_p_pro licensed`,
      `${MARK}:pro:base:year:usd ${MARK}_p_pro licensed`,
      `${MARK}:pro:calls:month ${MARK}_f_calls metered`,
      `${MARK}:pro:calls:year ${MARK}_f_calls metered`,
      `${MARK}:pro:storage:month ${MARK}_f_storage metered`,
      `${MARK}:pro:storage:year ${MARK}_f_storage metered`,
    ]);
    expect(prices[0]?.metadata).toMatchObject({ metergraph_tenant: TENANT, metergraph_plan: 'pro' });
  });

  it('is in the account of the tenant, where it has one', async () => {
    const rig = await openStripe();
    await syncCatalog(readerOf(rig, { stripeAccount: 'acct_a' }), desired(PRO));
    expect(rig.stripe.account().products.all()).toEqual([]);
    expect(rig.stripe.account('acct_a').products.all()).toHaveLength(3);
  });

  it('is told step by step, in words', async () => {
    const rig = await openStripe();
    const read = async (config: AnyConfig) => {
      const lines = await linesLeft(rig, PRO, config);
      await sync(rig, PRO, config);
      return lines.map(({ mark, noun, name, what }) => `${mark} ${noun} ${name} ${what}`.replaceAll(MARK, 'mg'));
    };
    expect(await read(PRO)).toEqual([
      '+ product mg_f_calls "API calls"',
      '+ product mg_f_storage "Storage"',
      '+ product mg_p_pro "Pro"',
      '+ meter mg_calls "API calls", the sum of each customer',
      '+ meter mg_storage "Storage", the sum of each customer',
      '+ price mg:pro:base:month:usd 20.00 USD every month',
      '+ price mg:pro:base:year:usd 200.00 USD every year',
      '+ price mg:pro:calls:month 0.10 USD each, every month',
      '+ price mg:pro:calls:year 0.10 USD each, every year',
      '+ price mg:pro:storage:month graduated, up to 1000 0.10 USD each, then 0.08 USD each, every month',
      '+ price mg:pro:storage:year graduated, up to 1000 0.10 USD each, then 0.08 USD each, every year',
    ]);
    const next: AnyConfig = {
      features: { calls: { displayName: 'Calls', unit: 'call', price: { unitAmount: '12.5' } } },
      plans: { pro: { displayName: 'Pro', price: [{ amount: 2_000, interval: 'month' }], features: { calls: true } } },
    };
    expect(await read(next)).toEqual([
      '~ product mg_f_calls name "API calls" → "Calls"',
      '~ meter mg_calls name "API calls" → "Calls"',
      '~ price mg:pro:calls:month 0.10 USD each, every month → 0.125 USD each, every month, as another price',
      '- price mg:pro:calls:month 0.10 USD each, every month, archived; subscriptions that have it keep it',
      '- price mg:pro:base:year:usd 200.00 USD every year, archived; subscriptions that have it keep it',
      '- price mg:pro:calls:year 0.10 USD each, every year, archived; subscriptions that have it keep it',
      '- price mg:pro:storage:month graduated, up to 1000 0.10 USD each, then 0.08 USD each, every month, archived; subscriptions that have it keep it',
      '- price mg:pro:storage:year graduated, up to 1000 0.10 USD each, then 0.08 USD each, every year, archived; subscriptions that have it keep it',
      '- product mg_f_storage "Storage", archived',
    ]);
    expect(await read(PRO)).toEqual([
      '~ product mg_f_calls name "Calls" → "API calls"',
      '^ product mg_f_storage back again',
      '~ meter mg_calls name "Calls" → "API calls"',
      '^ price mg:pro:base:year:usd back again',
      '^ price mg:pro:calls:month back again, lookup key none → "mg:pro:calls:month"',
      '^ price mg:pro:calls:year back again',
      '^ price mg:pro:storage:month back again',
      '^ price mg:pro:storage:year back again',
      '- price mg:pro:calls:month 0.125 USD each, every month, archived; subscriptions that have it keep it',
    ]);
  });
});

describe('by law', () => {
  it('nothing is left to do after a sync', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyConfig, { minLength: 1, maxLength: 3 }), async (configs) => {
        const rig = await openStripe();
        for (let i = 1; i <= configs.length; i += 1) {
          await sync(rig, ...configs.slice(0, i));
          expect(await linesLeft(rig, ...configs.slice(0, i))).toEqual([]);
        }
        rig.stripe.check();
      }),
      RUNS,
    );
  });

  it('what is on sale is what the last config says, whatever came before, and whatever was there is there still', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyConfig, { minLength: 1, maxLength: 3 }), anyConfig, async (before, last) => {
        const [rig, alone] = [await openStripe(), await openStripe()];
        const { products, prices, meters } = rig.stripe.account();
        const ids = () => [...products.all(), ...prices.all(), ...meters.all()].map(({ id }) => id);
        let known: readonly string[] = [];
        for (let i = 1; i <= before.length; i += 1) {
          await sync(rig, ...before.slice(0, i));
          expect(ids()).toEqual(expect.arrayContaining([...known]));
          known = ids();
        }
        await sync(rig, ...before, last);
        await sync(alone, last);
        expect(ids()).toEqual(expect.arrayContaining([...known]));
        expect(onSale(rig.stripe.account())).toEqual(onSale(alone.stripe.account()));
        expect(meters.all(({ status }) => status === 'inactive')).toEqual([]);
      }),
      RUNS,
    );
  });

  it('a config that comes back makes nothing new', async () => {
    await fc.assert(
      fc.asyncProperty(anyConfig, anyConfig, async (a, b) => {
        const rig = await openStripe();
        for (const configs of [[a], [a, b], [a, b, a]]) await sync(rig, ...configs);
        const count = rig.stripe.account().prices.all().length;
        for (const configs of [
          [a, b, a, b],
          [a, b, a, b, a],
        ])
          await sync(rig, ...configs);
        expect(rig.stripe.account().prices.all()).toHaveLength(count);
      }),
      RUNS,
    );
  });

  it('two who run at once leave what one leaves', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyConfig, { maxLength: 2 }), anyConfig, async (before, last) => {
        const [rig, alone] = [await openStripe(), await openStripe()];
        if (before.length > 0) await sync(rig, ...before);
        await Promise.all([sync(rig, ...before, last), sync(rig, ...before, last), sync(rig, ...before, last)]);
        await sync(alone, last);
        expect(twins(rig.stripe.account())).toEqual([]);
        expect(await linesLeft(rig, ...before, last)).toEqual([]);
        expect(onSale(rig.stripe.account())).toEqual(onSale(alone.stripe.account()));
      }),
      RUNS,
    );
  });

  it('one that is ended anywhere, its last answer lost, is finished by the next', async () => {
    await fc.assert(
      fc.asyncProperty(anyConfig, anyConfig, fc.nat(12), fc.boolean(), async (before, last, steps, isDone) => {
        const [rig, alone] = [await openStripe(), await openStripe()];
        await sync(rig, before);
        let left = steps;
        rig.stripe.faults.choose(({ operation }) => {
          if (!operation.startsWith('POST')) return undefined;
          left -= 1;
          return left < 0 ? { kind: left === -1 && isDone ? 'fails_after' : 'fails_before' } : undefined;
        });
        const ended = syncCatalog(
          { ...readerOf(rig), wait: () => Promise.reject(new Error('killed')) },
          desired(before, last),
        );
        await ended.catch((error: Error) => expect(error.message).toBe('killed'));
        rig.stripe.faults.clear();
        await sync(rig, before, last);
        await sync(alone, last);
        expect(twins(rig.stripe.account())).toEqual([]);
        expect(onSale(rig.stripe.account())).toEqual(onSale(alone.stripe.account()));
      }),
      RUNS,
    );
  });

  it('a storm ends, and a sync after it is clean', async () => {
    const fault = fc.constantFrom<Fault['kind'] | undefined>(
      ...(['rate_limited', 'lock_timeout', 'fails_before', 'fails_after', 'fails_for_good'] as const),
      ...Array.from({ length: 5 }, () => undefined),
    );
    await fc.assert(
      fc.asyncProperty(anyConfig, anyConfig, fc.infiniteStream(fault), async (before, last, storm) => {
        const [rig, alone] = [await openStripe(), await openStripe()];
        await sync(rig, before);
        rig.stripe.faults.choose(() => {
          const kind = storm.next().value;
          return kind && ({ kind } as Fault);
        });
        const told = await Promise.allSettled([sync(rig, before, last), sync(rig, before, last)]);
        for (const one of told) if (one.status === 'rejected') expect(String(one.reason)).toMatch(/^StripeSyncError: /);
        rig.stripe.faults.clear();
        await sync(rig, before, last);
        await sync(alone, last);
        expect(twins(rig.stripe.account())).toEqual([]);
        expect(await linesLeft(rig, before, last)).toEqual([]);
        expect(onSale(rig.stripe.account())).toEqual(onSale(alone.stripe.account()));
      }),
      RUNS,
    );
  });
});

describe('what goes wrong', () => {
  const failure = (rig: StripeRig, more: Partial<Reader> = {}) =>
    syncCatalog({ ...readerOf(rig), ...more }, desired(PRO)).then(
      () => 'nothing',
      (error: unknown) => (error instanceof StripeSyncError ? `${error.code}: ${error.message}` : error),
    );
  const inEach = (times: number, kind: 'rate_limited' | 'fails_after' | 'fails_for_good' | 'cut_after') => async () => {
    const rig = await openStripe();
    rig.stripe.faults.next('POST /v1/prices', { kind }, times);
    return { rig, said: await failure(rig) };
  };

  it.each([
    ['too many requests', inEach(3, 'rate_limited')],
    ['answers lost', inEach(3, 'fails_after')],
    ['an answer cut off, and again', inEach(3, 'cut_after')],
    ['a failure that is remembered with its key', inEach(1, 'fails_for_good')],
  ])('%s: it is done all the same, once', async (_what, run) => {
    const { rig, said } = await run();
    expect(said).toBe('nothing');
    expect(rig.stripe.account().prices.all()).toHaveLength(6);
  });

  it('two who replace a price at once make one, for they ask by the same key', async () => {
    const rig = await openStripe();
    await sync(rig, PRO);
    const dearer = { ...PRO, features: { ...PRO.features, calls: { price: { unitAmount: 12 } } } };
    await Promise.all([sync(rig, PRO, dearer), sync(rig, PRO, dearer), sync(rig, PRO, dearer)]);
    expect(rig.stripe.account().prices.all()).toHaveLength(8); // of calls by the month and the year, another each
  });

  it('waits as long as Stripe asks, and else a little longer each time', async () => {
    const rig = await openStripe();
    const waited: number[] = [];
    rig.stripe.faults.next(/./, { kind: 'rate_limited', retryAfterSeconds: 2 });
    rig.stripe.faults.next(/./, { kind: 'rate_limited', retryAfterSeconds: 30 });
    rig.stripe.faults.next(/./, { kind: 'rate_limited' }, 2);
    await failure(rig, { wait: async (ms) => void waited.push(ms) });
    expect(waited.slice(0, 2)).toEqual([2_000, 30_000]);
    expect(waited.slice(2).every((ms) => ms >= 0 && ms <= 8_000)).toBe(true);
  });

  it('gives up in a sentence when Stripe does not come back, and says what is kept', async () => {
    const rig = await openStripe();
    rig.stripe.faults.choose(({ operation }) =>
      operation === 'POST /v1/prices' ? { kind: 'fails_before' } : undefined,
    );
    expect(await failure(rig)).toMatch(
      /^unreachable: Stripe could not create the price mg_\w+:pro:base:month:usd: .* What was done before is kept; run it again, that does the rest\.$/,
    );
    expect(rig.stripe.account().meters.all()).toHaveLength(2);
  });

  it('tells what Stripe refuses, and does not ask for ever', async () => {
    const rig = await openStripe();
    const product = await rig.sdk.products.create({ name: 'By hand' });
    const lookup_key = `${MARK}:pro:base:month:usd`;
    await rig.sdk.prices.create({ product: product.id, currency: 'usd', unit_amount: 1, lookup_key });
    expect(await failure(rig)).toMatch(
      /^refused: Stripe refused to create the price mg_\w+:pro:base:month:usd: A price \(`price_\w+`\) already uses that lookup key\. \(resource_already_exists\)$/,
    );
  });

  it('tells of a key that is wrong without it', async () => {
    const rig = await openStripe();
    const stripe = new Stripe('sk_test_hunter2', rig.stripe.sdkConfig);
    const said = await failure(rig, { stripe });
    expect(said).toMatch(/^refused: Stripe refused to list what is there: Invalid API Key provided/);
    expect(said).not.toContain('hunter2');
  });

  it('leaves alone what another tenant has, and a meter that counts otherwise', async () => {
    const rig = await openStripe();
    await rig.sdk.products.create({ id: `${MARK}_f_calls`, name: 'x', metadata: { metergraph_tenant: 'another' } });
    const default_aggregation = { formula: 'count' } as const;
    await rig.sdk.billing.meters.create({ event_name: `${MARK}_storage`, display_name: 'x', default_aggregation });
    const said = await failure(rig);
    expect(said).toContain(
      `in_the_way: The product ${MARK}_f_calls belongs to another tenant, another, by its metadata.`,
    );
    expect(said).toMatch(/\nThe meter mtr_\w+ for "mg_\w+_storage" does not add up "value"/);
    expect(rig.stripe.requests.filter(({ operation }) => operation.startsWith('POST'))).toHaveLength(2);
  });
});

describe('what was changed at Stripe by hand', () => {
  it('is drift, and put right: names, archived objects, lookup keys, meters', async () => {
    const rig = await openStripe();
    await sync(rig, PRO);
    const [price] = (await rig.sdk.prices.list({ lookup_keys: [`${MARK}:pro:calls:month`] })).data;
    const [meter] = (await rig.sdk.billing.meters.list()).data;
    await rig.sdk.prices.update(price?.id ?? '', { lookup_key: '', active: false });
    await rig.sdk.products.update(`${MARK}_p_pro`, {
      name: 'Professional',
      active: false,
      metadata: { theirs: 'kept' },
    });
    await rig.sdk.billing.meters.deactivate(meter?.id ?? '');
    const left = await linesLeft(rig, PRO);
    expect(left.map(({ mark, noun, what }) => `${mark} ${noun} ${what}`.replaceAll(MARK, 'mg'))).toEqual([
      '^ product back again, name "Professional" → "Pro"',
      '^ meter "Storage", takes events again',
      '^ price back again, lookup key none → "mg:pro:calls:month"',
    ]);
    await sync(rig, PRO);
    expect(await linesLeft(rig, PRO)).toEqual([]);
    expect(rig.stripe.account().prices.all()).toHaveLength(6);
    expect((await rig.sdk.products.retrieve(`${MARK}_p_pro`)).metadata).toMatchObject({ theirs: 'kept' });
  });

  it('keeps what was decided about tax when a price takes the place of another, and prices made by hand', async () => {
    const rig = await openStripe();
    await sync(rig, PRO);
    const lookup_keys = [`${MARK}:pro:base:month:usd`];
    const [price] = (await rig.sdk.prices.list({ lookup_keys })).data;
    await rig.sdk.prices.update(price?.id ?? '', { tax_behavior: 'exclusive' });
    const byHand = await rig.sdk.prices.create({ product: `${MARK}_p_pro`, currency: 'usd', unit_amount: 1 });
    const dearer = {
      ...PRO.plans?.pro,
      price: [{ amount: 2_500, interval: 'month' }],
      features: { calls: true },
    } as const;
    await sync(rig, PRO, { ...PRO, plans: { pro: dearer } });
    const [next] = (await rig.sdk.prices.list({ lookup_keys })).data;
    expect(next).toMatchObject({ unit_amount: 2_500, tax_behavior: 'exclusive' });
    expect(await rig.sdk.prices.retrieve(byHand.id)).toMatchObject({ active: true });
  });
});
