/**
 * Goal: the invoice of the running billing period says what it costs, line by line, now and as forecast.
 * Method: a plan with a base price and use of every kind, on both databases, by a clock that is moved by hand.
 */
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { makeToken, openRig, REGISTER, type Rig, refusalsOf } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    tokens: { displayName: 'Tokens', aggregation: 'sum', reset: 'monthly', anchor: 'subscription' },
    exports: { displayName: 'Exports', aggregation: 'count', reset: 'daily' },
    calls: { displayName: 'Calls', aggregation: 'sum', reset: 'monthly', limit: 10 },
  },
  plans: {
    pro: {
      displayName: 'Pro',
      price: [{ amount: 2_000, currency: 'usd', interval: 'month' }],
      features: {
        tokens: { included: 10, price: { unitAmount: '0.5' } },
        exports: { price: { unitAmount: 3, currency: 'eur' } },
        calls: {},
      },
    },
    max: {
      displayName: 'Max',
      price: [{ amount: 9_300, currency: 'usd', interval: 'month' }],
      features: { tokens: {}, calls: {} },
    },
    free: { features: { calls: {}, tokens: { limit: 10 } } },
  },
});

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the document selects, and every test looks at it
type Answer = any;

const MONEY = '{ amount currency }';
const INVOICE = `period { start end } forecast at parts {
  currency total ${MONEY} paidFromWallet ${MONEY} due ${MONEY}
  lines { kind description featureKey quantity unitAmount amount ${MONEY} period { start end } }
}`;

describeEngines('the invoice', (engine) => {
  let rig: Rig;
  /** A customer of each test's own. */
  let referenceId = 'customer 0';

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
  });

  beforeEach(async () => {
    rig.clock.set('2026-03-15T12:00:00Z');
    referenceId = `customer ${Number(referenceId.slice(9)) + 1}`;
    await rig.data(REGISTER, { input: { referenceId, planKey: 'pro', anchorAt: '2026-03-10T00:00:00Z' } });
  });

  const preview = async (args = `referenceId: "${referenceId}"`, by: Pick<Rig, 'data'> = rig): Promise<Answer> =>
    (await by.data<Answer>(`{ invoicePreview(${args}) { ${INVOICE} } }`)).invoicePreview;
  const consume = (featureKey: string, amount = 1) =>
    rig.data(
      `mutation ($input: ConsumeInput!) { consume(input: $input) { ... on Consumption { allowed } ... on UserError { message } } }`,
      { input: { referenceId, featureKey, amount } },
    );
  const setPlan = (planKey: string, effective?: 'IMMEDIATELY' | 'AT_RENEWAL') =>
    rig.data(
      `mutation ($input: SetCustomerPlanInput!) { setCustomerPlan(input: $input) { ... on Customer { id } ... on UserError { message } } }`,
      { input: { referenceId, planKey, ...(effective && { effective }) } },
    );
  /** `Pro: 2000 usd, 03-10 – 04-10` for each base line. */
  const baseLines = async (args?: string): Promise<readonly string[]> =>
    (await preview(args)).parts
      .flatMap(({ lines }: Answer) => lines)
      .filter(({ kind }: Answer) => kind === 'BASE')
      .map(
        ({ description, amount, period }: Answer) =>
          `${description}: ${amount.amount} ${amount.currency}, ${period.start.slice(5, 10)} – ${period.end.slice(5, 10)}`,
      );
  const usd = (amount: string) => ({ amount, currency: 'usd' });
  const PERIOD = { start: '2026-03-10T00:00:00.000Z', end: '2026-04-10T00:00:00.000Z' };

  it('is the base price alone before there is any use', async () => {
    expect(await preview()).toEqual({
      period: PERIOD,
      forecast: false,
      at: '2026-03-15T12:00:00.000Z',
      parts: [
        {
          currency: 'usd',
          total: usd('2000'),
          paidFromWallet: usd('0'),
          due: usd('2000'),
          lines: [
            {
              kind: 'BASE',
              description: 'Pro',
              featureKey: null,
              quantity: '1',
              unitAmount: '2000',
              amount: usd('2000'),
              period: PERIOD,
            },
          ],
        },
      ],
    });
  });

  it('adds what is billed and what the wallet has paid, each line rounded once', async () => {
    await rig.data(`mutation { topUpWallet(input: { referenceId: "${referenceId}", amount: 2 }) { __typename } }`);
    await consume('tokens', 21); // 10 included, 4 by the wallet for 2 cents, 7 for 3.5
    await consume('calls', 10);
    const { parts } = await preview();
    expect(parts).toHaveLength(1);
    const [{ lines, total, paidFromWallet, due }] = parts;
    const said = lines.map(({ kind, featureKey, quantity, unitAmount, amount, period }: Answer) => [
      kind,
      featureKey,
      quantity,
      unitAmount,
      amount.amount,
      period,
    ]);
    expect(said).toEqual([
      ['BASE', null, '1', '2000', '2000', PERIOD],
      ['WALLET', 'tokens', '4', '0.5', '2', PERIOD],
      ['OVERAGE', 'tokens', '7', '0.5', '4', PERIOD], // 3.5, half to even
    ]);
    expect([total.amount, paidFromWallet.amount, due.amount]).toEqual(['2006', '2', '2004']);
  });

  it('lists periods that have ended within it, in a part for each currency', async () => {
    await consume('exports');
    await consume('exports');
    rig.clock.set('2026-03-16T01:00:00Z');
    await consume('exports');
    const { parts } = await preview();
    expect(parts.map(({ currency, total }: Answer) => [currency, total.amount])).toEqual([
      ['usd', '2000'],
      ['eur', '9'],
    ]);
    expect(parts[1].lines.map(({ quantity, period }: Answer) => [quantity, period.start.slice(0, 10)])).toEqual([
      ['2', '2026-03-15'],
      ['1', '2026-03-16'],
    ]);
    rig.clock.set('2026-04-10T00:00:00Z'); // the next billing period
    expect((await preview()).parts.map(({ currency }: Answer) => currency)).toEqual(['usd']);
  });

  it('is forecast for the end of the running periods, by the rate so far', async () => {
    rig.clock.set('2026-03-25T12:00:00Z'); // 10 days after registration, 15.5 into the period of 31
    await consume('tokens', 100);
    const { lines } = (await preview(`referenceId: "${referenceId}", forecast: true`)).parts[0];
    const { usageForecast } = await rig.data<Answer>(
      `{ usageForecast(referenceId: "${referenceId}", featureKey: "tokens") { projected projectedCost { amount } } }`,
    );
    // 100 in 10 days, and 15.5 days to come: 255, of which 10 are included.
    expect(usageForecast).toEqual({ projected: '255', projectedCost: { amount: '122.5' } });
    const overage = { kind: 'OVERAGE', featureKey: 'tokens', quantity: '245', unitAmount: '0.5', amount: usd('122') };
    expect(lines[1]).toMatchObject(overage); // 122.5, half to even
    expect((await preview()).parts[0].lines[1]).toMatchObject({ quantity: '90', amount: usd('45') });
  });

  it('bills each plan for the part of the period in which it was had: an upgrade', async () => {
    rig.clock.set('2026-03-20T00:00:00Z'); // 10 of 31 days
    await setPlan('max');
    const lines = [
      'Pro, 32.26 % of the period: 645 usd, 03-10 – 03-20',
      'Max, 67.74 % of the period: 6300 usd, 03-20 – 04-10',
    ];
    expect(await baseLines()).toEqual(lines);
    expect(await baseLines(`referenceId: "${referenceId}", forecast: true`)).toEqual(lines);
    expect((await preview()).parts).toMatchObject([
      {
        total: usd('6945'),
        due: usd('6945'),
        lines: [
          { quantity: '1', unitAmount: null },
          { quantity: '1', unitAmount: null },
        ],
      },
    ]);
    rig.clock.set('2026-04-10T00:00:00Z');
    expect(await baseLines()).toEqual(['Max: 9300 usd, 04-10 – 05-10']);
  });

  it('bills each plan that it had: two changes', async () => {
    rig.clock.set('2026-03-20T00:00:00Z');
    await setPlan('max');
    rig.clock.set('2026-03-30T00:00:00Z');
    await rig.data(REGISTER, { input: { referenceId, planKey: 'free' } });
    expect(await baseLines()).toEqual([
      'Pro, 32.26 % of the period: 645 usd, 03-10 – 03-20',
      'Max, 32.26 % of the period: 3000 usd, 03-20 – 03-30',
    ]);
  });

  it('bills the plan to the end of the period where another waits for it', async () => {
    rig.clock.set('2026-03-16T00:00:00Z');
    await setPlan('max');
    rig.clock.set('2026-03-20T00:00:00Z');
    await setPlan('pro'); // a downgrade
    const lines = [
      'Pro, 19.35 % of the period: 387 usd, 03-10 – 03-16',
      'Max, 80.65 % of the period: 7500 usd, 03-16 – 04-10',
    ];
    expect(await baseLines()).toEqual(lines);
    expect(await baseLines(`referenceId: "${referenceId}", forecast: true`)).toEqual(lines);
    rig.clock.set('2026-04-15T00:00:00Z'); // nobody has touched the customer since
    expect(await baseLines()).toEqual(['Pro: 2000 usd, 04-10 – 05-10']);
    await consume('calls'); // now the change is stored
    expect(await baseLines()).toEqual(['Pro: 2000 usd, 04-10 – 05-10']);
  });

  it('bills what came due unnoticed, before the plan that follows', async () => {
    await setPlan('free', 'AT_RENEWAL');
    rig.clock.set('2026-04-20T00:00:00Z');
    await setPlan('max');
    expect(await baseLines()).toEqual(['Max, 66.67 % of the period: 6200 usd, 04-20 – 05-10']);
  });

  it('bills one line where only other things of the customer change', async () => {
    rig.clock.set('2026-03-20T00:00:00Z');
    await setPlan('pro');
    await setPlan('free', 'AT_RENEWAL');
    await setPlan('pro'); // called off
    await rig.data(REGISTER, { input: { referenceId, name: 'Acme' } });
    expect(await baseLines()).toEqual(['Pro: 2000 usd, 03-10 – 04-10']);
  });

  it('keeps what was charged when the price is gone', async () => {
    await consume('tokens', 20);
    await rig.data(
      `mutation { setCustomerPlan(input: { referenceId: "${referenceId}", planKey: "free", effective: IMMEDIATELY }) { __typename } }`,
    );
    const { parts } = await preview();
    expect(parts).toMatchObject([{ currency: 'usd', total: usd('5') }]);
    expect(parts[0].lines).toMatchObject([{ kind: 'OVERAGE', quantity: '10', unitAmount: null, amount: usd('5') }]);
  });

  it('is empty where nothing costs anything', async () => {
    await rig.data(REGISTER, { input: { referenceId: 'frugal', planKey: 'free' } });
    expect(await preview('referenceId: "frugal"')).toMatchObject({ forecast: false, parts: [] });
  });

  it('is the customer’s own to see, with a token for all features', async () => {
    const own = await preview('forecast: false', rig.as(await makeToken(rig, { referenceId })));
    expect(own).toEqual(await preview());
    const partly = rig.as(await makeToken(rig, { referenceId, featureKeys: ['calls'] }));
    expect(refusalsOf(await partly.post('{ invoicePreview { at } }')).codes).toEqual(['FORBIDDEN']);
    const other = rig.as(await makeToken(rig, { referenceId: 'other' }));
    for (const [who, args] of [
      [other, `referenceId: "${referenceId}"`],
      [rig, 'referenceId: "nobody"'],
    ] as const) {
      expect(refusalsOf(await who.post(`{ invoicePreview(${args}) { at } }`)).codes).toEqual(['CUSTOMER_NOT_FOUND']);
    }
  });
});
