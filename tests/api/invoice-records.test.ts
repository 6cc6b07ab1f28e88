/**
 * Goal: invoices that were made are read, listed and made void by those who may, and the preview is the next of them.
 * Method: a core that makes invoices by itself, gateways that tell them, on both databases, by a clock that is moved.
 */
import pino from 'pino';
import { beforeAll, expect, it } from 'vitest';
import { Core } from '../../server/core.ts';
import { defineConfig } from '../../server/index.ts';
import { createMetrics } from '../../server/metrics.ts';
import { afterFile } from '../support/after-use.ts';
import { describeEngines } from '../support/engines.ts';
import { addTenant, makeToken, openRig, REGISTER, type Rig, refusalsOf } from './rig.ts';

const CONFIG = defineConfig({
  features: { calls: { reset: 'monthly', anchor: 'subscription' }, exports: { reset: 'never' } },
  plans: {
    pro: {
      price: [{ amount: 2_000, currency: 'usd', interval: 'month' }],
      features: { calls: { price: { unitAmount: 10 } }, exports: { price: { unitAmount: 7 } } },
    },
  },
});

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the document selects, and every test looks at it
type Answer = any;

const MONEY = '{ amount currency }';
const LINES = `lines { kind adjustment description featureKey quantity unitAmount amount ${MONEY} period { start end } }`;
const RECORD = `number referenceId status currency period { start end } issuedAt voidedAt total ${MONEY} paidFromWallet ${MONEY} due ${MONEY} ${LINES}`;

describeEngines('invoice records', (engine) => {
  let rig: Rig;
  let core: Core;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    const { database, clock } = rig;
    const invoicing = { finaliseAfterMs: 3_600_000 };
    core = new Core(
      { database, clock, invoicing, tokenSecret: new Uint8Array(32), logger: pino({ level: 'silent' }) },
      createMetrics(),
    );
    afterFile(() => core.drain());
    clock.set('2026-03-01T00:00:00Z');
    await core.invoicer?.run();
    for (const referenceId of ['one', 'two', 'idle']) {
      const planKey = referenceId === 'idle' ? undefined : 'pro';
      await rig.data(REGISTER, {
        input: { referenceId, ...(planKey && { planKey }), anchorAt: '2026-03-01T00:00:00Z' },
      });
    }
    await rig.database.query({
      text: `DELETE FROM invoice_positions WHERE customer_id IN (SELECT id FROM customers WHERE reference_id IN ('acme', 'other'))`,
      params: [],
    });
    await consume('one', 'calls', 150);
    await consume('one', 'exports', 2);
    clock.set('2026-04-01T01:00:00Z');
    await core.invoicer?.run();
    await record('one', 3, '2026-03-20T00:00:00Z');
    await consume('one', 'calls', 1);
    clock.set('2026-05-01T01:00:00Z');
  });

  const consume = (referenceId: string, featureKey: string, amount: number) =>
    rig.data(
      `mutation ($input: ConsumeInput!) { consume(input: $input) { ... on Consumption { allowed } ... on UserError { message } } }`,
      {
        input: { referenceId, featureKey, amount },
      },
    );
  const record = (referenceId: string, amount: number, timestamp: string) =>
    rig.data(
      `mutation ($input: RecordUsageInput!) { recordUsage(input: $input) { ... on Consumption { allowed } ... on UserError { message } } }`,
      {
        input: { referenceId, featureKey: 'calls', amount, timestamp },
      },
    );
  const usd = (amount: string) => ({ amount, currency: 'usd' });
  const list = async (args: string, by: Pick<Rig, 'data'> = rig): Promise<Answer> =>
    (await by.data<Answer>(`{ invoices(${args}) { nodes { number referenceId } pageInfo { hasNextPage endCursor } } }`))
      .invoices;
  const numbersOf = ({ nodes }: Answer): readonly number[] => nodes.map(({ number }: Answer) => number);
  const read = async (number: number, by: Pick<Rig, 'data'> = rig): Promise<Answer> =>
    (await by.data<Answer>(`{ invoice(number: ${number}) { ${RECORD} } }`)).invoice;
  const preview = async (referenceId: string): Promise<Answer> =>
    (
      await rig.data<Answer>(
        `{ invoicePreview(referenceId: "${referenceId}") { period { start end } parts { currency total ${MONEY} due ${MONEY} ${LINES} } } }`,
      )
    ).invoicePreview;

  it('are told whole', async () => {
    const [one] = (await list('first: 9, referenceId: "one"')).nodes;
    const invoice = await read(one.number);
    const period = { start: '2026-03-01T00:00:00.000Z', end: '2026-04-01T00:00:00.000Z' };
    expect(invoice).toMatchObject({
      referenceId: 'one',
      status: 'OPEN',
      currency: 'usd',
      period,
      issuedAt: '2026-04-01T01:00:00.000Z',
      voidedAt: null,
      total: usd('3514'),
      paidFromWallet: usd('0'),
      due: usd('3514'),
    });
    expect(invoice.lines).toMatchObject([
      {
        kind: 'BASE',
        adjustment: false,
        description: 'Pro',
        featureKey: null,
        quantity: '1',
        unitAmount: '2000',
        amount: usd('2000'),
        period,
      },
      {
        kind: 'OVERAGE',
        adjustment: false,
        description: 'Calls',
        featureKey: 'calls',
        quantity: '150',
        unitAmount: '10',
        amount: usd('1500'),
        period,
      },
      { kind: 'OVERAGE', featureKey: 'exports', quantity: '2', amount: usd('14'), period: { end: null } },
    ]);
  });

  it('are what the preview says just before, adjustments and all', async () => {
    const { clock } = rig;
    await consume('one', 'exports', 1);
    clock.set('2026-04-30T23:59:59.999Z');
    const before = await preview('one');
    clock.set('2026-05-01T01:00:00Z');
    expect(await core.invoicer?.run()).toBe(2);
    const [{ number }] = (await list('first: 1, referenceId: "one"')).nodes;
    const invoice = await read(number);
    expect(before.parts).toEqual([{ currency: 'usd', total: invoice.total, due: invoice.due, lines: invoice.lines }]);
    expect(before.period).toEqual(invoice.period);
    expect(invoice.lines).toMatchObject([
      { kind: 'BASE' },
      { adjustment: true, description: 'Calls, adjustment', quantity: '3', unitAmount: '10', amount: usd('30') },
      { adjustment: false, quantity: '1', amount: usd('10') },
      { adjustment: false, featureKey: 'exports', quantity: '1', amount: usd('7') },
    ]);
    expect((await preview('one')).parts).toMatchObject([{ total: usd('2000'), lines: [{ kind: 'BASE' }] }]);
  });

  it('are listed newest first, a customer’s or all, page by page', async () => {
    const all = await list('first: 100');
    expect(numbersOf(all)).toEqual([4, 3, 2, 1]);
    const first = await list('first: 3');
    expect([numbersOf(first), first.pageInfo.hasNextPage]).toEqual([[4, 3, 2], true]);
    const second = await list(`first: 3, after: "${first.pageInfo.endCursor}"`);
    expect([numbersOf(second), second.pageInfo.hasNextPage]).toEqual([[1], false]);
    const ofTwo = await list('first: 9, referenceId: "two"');
    expect(ofTwo.nodes.map(({ referenceId }: Answer) => referenceId)).toEqual(['two', 'two']);
    expect(numbersOf(await list('first: 9, referenceId: "idle"'))).toEqual([]);
    const foreign = await rig.post(
      `{ invoices(first: 1, referenceId: "two", after: "${first.pageInfo.endCursor}") { nodes { number } } }`,
    );
    expect(refusalsOf(foreign).codes).toEqual(['INVALID_CURSOR']);
    const nobody = await rig.post('{ invoices(first: 1, referenceId: "nobody") { nodes { number } } }');
    expect(refusalsOf(nobody).codes).toEqual(['CUSTOMER_NOT_FOUND']);
  });

  it('are a customer’s own to see, with a token for all features', async () => {
    const own = rig.as(await makeToken(rig, { referenceId: 'two' }));
    const listed = await list('first: 9', own);
    expect(listed.nodes.map(({ referenceId }: Answer) => referenceId)).toEqual(['two', 'two']);
    expect(await read(numbersOf(listed)[0] ?? 0, own)).toMatchObject({ referenceId: 'two', total: usd('2000') });
    const [{ number }] = (await list('first: 1, referenceId: "one"')).nodes;
    expect(await read(number, own)).toBeNull();
    expect(refusalsOf(await own.post('{ invoices(first: 1, referenceId: "one") { nodes { number } } }')).codes).toEqual(
      ['CUSTOMER_NOT_FOUND'],
    );
    const partly = rig.as(await makeToken(rig, { referenceId: 'two', featureKeys: ['calls'] }));
    for (const query of ['{ invoices(first: 1) { nodes { number } } }', '{ invoice(number: 1) { number } }']) {
      expect(refusalsOf(await partly.post(query)).codes).toEqual(['FORBIDDEN']);
    }
  });

  it('are another tenant’s nothing', async () => {
    const { key } = await addTenant(rig);
    const stranger = rig.as(key);
    expect(numbersOf(await list('first: 9', stranger))).toEqual([]);
    expect(await read(1, stranger)).toBeNull();
    const voided = await stranger.data<Answer>(
      'mutation { voidInvoice(input: { number: 1 }) { ... on UserError { code message path } } }',
    );
    expect(voided.voidInvoice).toEqual({
      code: 'INVOICE_NOT_FOUND',
      message: expect.stringContaining('invoice 1'),
      path: ['input', 'number'],
    });
    expect(await read(1)).toMatchObject({ status: 'OPEN' });
  });

  it('are made void once, with all else as it was, and not billed again', async () => {
    const voidIt = async (number: number): Promise<Answer> =>
      (
        await rig.data<Answer>(
          `mutation { voidInvoice(input: { number: ${number} }) { ... on InvoiceRecord { ${RECORD} } ... on UserError { code } } }`,
        )
      ).voidInvoice;
    const before = await read(2);
    const voided = await voidIt(2);
    expect(voided).toEqual({ ...before, status: 'VOID', voidedAt: '2026-05-01T01:00:00.000Z' });
    rig.clock.set('2026-06-01T01:00:00Z');
    expect(await voidIt(2)).toEqual(voided);
    expect(await voidIt(99)).toEqual({ code: 'INVOICE_NOT_FOUND' });
    expect(await voidIt(0)).toEqual({ code: 'INVALID_INPUT' });
    await core.invoicer?.run();
    for (const { number } of (await list('first: 2')).nodes) {
      expect(await read(number)).toMatchObject({ total: usd('2000'), lines: [{ kind: 'BASE', adjustment: false }] });
    }
  });
});
