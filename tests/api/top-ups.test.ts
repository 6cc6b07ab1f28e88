/**
 * Goal: a biller finds what wallets ask for, once each and oldest first, settles it, and finds it settled; nobody else does.
 * Method: wallets that run low through the API by a clock that is moved by hand, on both databases.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { addTenant, makeKey, makeToken, openRig, REGISTER, type Rig, refusalsOf } from './rig.ts';

const wallet = (currency: string, amount: number) => ({
  currency,
  autoTopUp: { threshold: 50, amount, coolOff: 'PT1H' },
});
const sms = (currency: string) => ({ price: { unitAmount: 10, currency }, billing: 'prepaid' as const });
const CONFIG = defineConfig({
  features: { sms: { aggregation: 'sum', reset: 'monthly' } },
  plans: {
    pro: { wallet: wallet('usd', 100), features: { sms: sms('usd') } },
    euro: { wallet: wallet('eur', 70), features: { sms: sms('eur') } },
    plain: { features: { sms: sms('usd') } },
  },
});

const LIST = `query ($state: TopUpState, $first: Int = 10, $after: String) {
  topUpRequests(state: $state, first: $first, after: $after) {
    nodes { referenceId amount { amount currency } state askedAt settledAt }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;

type TopUp = { readonly referenceId: string; readonly state: string };
type List = {
  readonly topUpRequests: {
    readonly nodes: readonly TopUp[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; readonly endCursor: string };
  };
};

const NOON = '2026-03-15T12:00:00.000Z';
const usd = { amount: '100', currency: 'usd' };
const eur = { amount: '70', currency: 'eur' };

describeEngines('top-ups', (engine) => {
  let rig: Rig;

  const write = async (verb: string, referenceId: string, fields: Record<string, unknown>): Promise<void> => {
    const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) {
      ${verb}(input: $input) { __typename ${verb === 'consume' ? '... on Consumption { allowed }' : ''} ... on UserError { message } }
    }`;
    const answer = await rig.data<Record<string, unknown>>(document, { input: { referenceId, ...fields } });
    expect(answer[verb]).not.toHaveProperty('message');
    expect(answer[verb]).not.toHaveProperty('allowed', false);
  };
  const runLow = (referenceId: string) => write('consume', referenceId, { featureKey: 'sms' });
  const list = async (variables: Record<string, unknown> = {}, by: Pick<Rig, 'data'> = rig) =>
    (await by.data<List>(LIST, variables)).topUpRequests;
  const names = async (variables: Record<string, unknown> = {}) =>
    (await list(variables)).nodes.map(({ referenceId, state }) => `${referenceId} ${state}`);
  const pendingOf = async (referenceId: string) => {
    const { customer } = await rig.data<{ customer: { wallets: readonly { readonly pendingTopUp: unknown }[] } }>(
      'query ($referenceId: String!) { customer(referenceId: $referenceId) { wallets { pendingTopUp { amount { amount currency } askedAt } } } }',
      { referenceId },
    );
    return customer.wallets.map(({ pendingTopUp }) => pendingTopUp);
  };

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    await rig.data(REGISTER, { input: { referenceId: 'berlin', planKey: 'euro' } });
    for (const [referenceId, currency] of [
      ['acme', 'usd'],
      ['other', 'usd'],
      ['berlin', 'eur'],
    ] as const)
      await write('topUpWallet', referenceId, { amount: 55, currency });
    expect(await names()).toEqual([]);
    for (const referenceId of ['other', 'acme', 'berlin']) {
      await runLow(referenceId);
      rig.clock.advance(1_000);
    }
  });

  it('are listed oldest first, and stand beside the wallet that asked', async () => {
    const asked = { state: 'ASKED', settledAt: null };
    expect((await list()).nodes).toEqual([
      { referenceId: 'other', amount: usd, askedAt: NOON, ...asked },
      { referenceId: 'acme', amount: usd, askedAt: '2026-03-15T12:00:01.000Z', ...asked },
      { referenceId: 'berlin', amount: eur, askedAt: '2026-03-15T12:00:02.000Z', ...asked },
    ]);
    expect(await pendingOf('berlin')).toEqual([{ amount: eur, askedAt: '2026-03-15T12:00:02.000Z' }]);
  });

  it('are paged without a gap or a repetition', async () => {
    const first = await list({ first: 2, state: 'ASKED' });
    expect(first.nodes.map(({ referenceId }) => referenceId)).toEqual(['other', 'acme']);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const rest = await list({ first: 2, state: 'ASKED', after: first.pageInfo.endCursor });
    expect(rest.nodes.map(({ referenceId }) => referenceId)).toEqual(['berlin']);
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it('are settled where they were asked for; a wallet that is low again asks again', async () => {
    rig.clock.set('2026-03-15T13:00:00Z');
    await write('settleTopUp', 'other', { outcome: 'PAID' });
    await write('settleTopUp', 'other', { outcome: 'PAID' });
    await write('settleTopUp', 'berlin', { outcome: 'FAILED', currency: 'eur' });
    await runLow('berlin'); // within the cool-off
    expect(await names()).toEqual(['other PAID', 'acme ASKED', 'berlin FAILED']);
    const [paid] = (await list({ state: 'PAID' })).nodes;
    expect(paid).toMatchObject({ amount: usd, askedAt: NOON, settledAt: '2026-03-15T13:00:00.000Z' });
    expect(await pendingOf('other')).toEqual([null]);
    rig.clock.set('2026-03-15T14:00:00Z');
    await runLow('berlin');
    expect(await names()).toEqual(['other PAID', 'acme ASKED', 'berlin FAILED', 'berlin ASKED']);
  });

  it.each([
    ['ASKED', ['acme ASKED', 'berlin ASKED']],
    ['PAID', ['other PAID']],
    ['FAILED', ['berlin FAILED']],
    [null, ['other PAID', 'acme ASKED', 'berlin FAILED', 'berlin ASKED']],
  ])('in the state %s are %j', async (state, says) => expect(await names({ state })).toEqual(says));

  it('put in what they asked for, though the plan asks for nothing any more', async () => {
    await write('setCustomerPlan', 'acme', { planKey: 'plain', effective: 'IMMEDIATELY' });
    await write('settleTopUp', 'acme', { outcome: 'PAID' });
    expect(await rig.data('{ customer(referenceId: "acme") { wallets { balance { amount currency } } } }')).toEqual({
      customer: { wallets: [{ balance: { amount: '145', currency: 'usd' } }] },
    });
    expect(await names({ state: 'ASKED' })).toEqual(['berlin ASKED']);
  });

  it.each([
    [{ first: 0 }, 'INVALID_INPUT', '`first`'],
    [{ first: 101 }, 'INVALID_INPUT', '`first`'],
    [{ after: 'x' }, 'INVALID_CURSOR', '"x"'],
  ])('for %j are refused', async (variables, code, says) => {
    const { codes, sentences } = refusalsOf(await rig.post(LIST, variables));
    expect(codes).toEqual([code]);
    expect(sentences).toContain(says);
  });

  describe('are told', () => {
    it('no other tenant, nor are its cursors taken', async () => {
      const stranger = rig.as((await addTenant(rig)).key);
      const { nodes, pageInfo } = await list();
      expect(nodes).toHaveLength(4);
      expect((await list({}, stranger)).nodes).toEqual([]);
      const foreign = await stranger.post(LIST, { after: pageInfo.endCursor });
      expect(refusalsOf(foreign).codes).toEqual(['INVALID_CURSOR']);
    });

    it.each([
      ['nobody', 'UNAUTHENTICATED'],
      ['ingest', 'FORBIDDEN'],
      ['read', 'FORBIDDEN'],
      ['customer', 'FORBIDDEN'],
      ['admin', null],
    ] as const)('%s: %s', async (who, refusal) => {
      const credential = async () => {
        if (who === 'nobody') return undefined;
        return who === 'customer' ? makeToken(rig) : (await makeKey(rig, [who])).secret;
      };
      const { errors } = await rig.as(await credential()).post(LIST);
      expect(errors?.map(({ extensions }) => extensions?.code) ?? null).toEqual(refusal && [refusal]);
    });
  });
});
