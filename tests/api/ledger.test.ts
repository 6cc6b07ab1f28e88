/**
 * Goal: what moved can be read back: what paid for an event, where a grant went, what a customer has and holds.
 * Method: a short history through the API, read by every door, on both databases.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { addTenant, makeToken, openRig, type Rig, refusalsOf } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    tokens: { aggregation: 'sum', reset: 'monthly', price: { unitAmount: 2 }, included: 10 },
    calls: { aggregation: 'sum', reset: 'monthly', limit: 100 },
  },
  plans: { pro: { features: { tokens: {}, calls: { credits: { allocation: 40 } } } } },
});

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the document selects, and every test looks at it
type Answer = any;

const LINE = 'account grant { id } commodity featureKey amount';
const ENTRIES = `nodes { sequence kind recordedAt event { id kind amount } postings { ${LINE} } } pageInfo { hasNextPage endCursor }`;

describeEngines('the ledger', (engine) => {
  let rig: Rig;
  const grants: string[] = [];

  const write = async (verb: string, input: string, selection: string): Promise<Answer> =>
    (await rig.data<Answer>(`mutation { ${verb}(input: { ${input} }) { ${selection} ... on UserError { message } } }`))[
      verb
    ];
  const ofAcme = async (selection: string, by: Pick<Rig, 'data'> = rig): Promise<Answer> =>
    (await by.data<Answer>(`{ customer(referenceId: "acme") { ${selection} } }`)).customer;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    const TOKENS = 'referenceId: "acme", featureKey: "tokens"';
    for (const priority of [2, 1]) {
      const { id } = await write('grantCredits', `${TOKENS}, amount: 5, priority: ${priority}`, '... on Grant { id }');
      grants.push(id);
      rig.clock.advance(1_000);
    }
    await write('topUpWallet', 'referenceId: "acme", amount: 6', '... on Wallet { currency }');
    await write('consume', `${TOKENS}, amount: 20`, '... on Consumption { amount }'); // 10 included, 5 + 2 credits … 3 more
    await write('reserve', `${TOKENS}, amount: 1, ttlSeconds: 60`, '... on Reservation { id }');
    await write('reserve', `${TOKENS}, amount: 2, ttlSeconds: 3600`, '... on Reservation { id }');
  });

  function sums(postings: readonly Answer[]): Record<string, number> {
    const byCommodity: Record<string, number> = {};
    for (const { commodity, amount } of postings) {
      byCommodity[commodity] = (byCommodity[commodity] ?? 0) + Number(amount);
    }
    return byCommodity;
  }

  it('tells what paid for an event, from the grants in burn order', async () => {
    const { events } = await rig.data<Answer>(
      `{ events(first: 1, referenceId: "acme", kind: USE) { nodes { id amount credits postings { ${LINE} } } } }`,
    );
    const [{ id, amount, credits, postings }] = events.nodes;
    expect({ amount, credits }).toEqual({ amount: '20', credits: '10' });
    const drawn = postings.filter(({ account }: Answer) => account === 'GRANT');
    expect(drawn.map(({ grant, commodity, amount: units }: Answer) => [grant.id, commodity, units])).toEqual([
      [grants[1], 'tokens', '-5'],
      [grants[0], 'tokens', '-5'],
    ]);
    expect(sums(postings)).toEqual({ tokens: 0 });
    const { ledger } = await ofAcme(`ledger(first: 100) { ${ENTRIES} }`);
    const entry = ledger.nodes.find(({ event }: Answer) => event?.id === id);
    expect(entry).toMatchObject({ kind: 'USE', event: { kind: 'USE', amount: '20' }, postings });
  });

  it('tells where a grant went: what came to it and left it is what it has', async () => {
    const { node } = await rig.data<Answer>(
      `query ($id: ID!) { node(id: $id) { ... on Grant {
        referenceId amount remaining state postings(first: 10) { nodes { kind event { id } ${LINE} } }
      } } }`,
      { id: grants[0] },
    );
    expect(node).toMatchObject({ referenceId: 'acme', amount: '5', remaining: '0', state: 'SPENT' });
    const { events } = await rig.data<Answer>('{ events(first: 1, referenceId: "acme", kind: USE) { nodes { id } } }');
    const moved = node.postings.nodes.map(({ kind, account, amount, event }: Answer) => [
      kind,
      account,
      amount,
      event?.id,
    ]);
    expect(moved).toEqual([
      ['USE', 'USAGE', '5', events.nodes[0].id],
      ['USE', 'GRANT', '-5', events.nodes[0].id],
      ['GRANT', 'GRANT', '5', undefined],
    ]);
  });

  it('lists every entry, newest first, each of which sums to zero', async () => {
    const { ledger } = await ofAcme(`ledger(first: 100) { ${ENTRIES} }`);
    const sequences = ledger.nodes.map(({ sequence }: Answer) => Number(sequence));
    expect(sequences).toEqual([...sequences].sort((a, b) => b - a));
    expect(new Set(ledger.nodes.map(({ kind }: Answer) => kind))).toEqual(
      new Set(['HOLD', 'USE', 'TOP_UP', 'GRANT', 'RENEWAL']),
    );
    for (const { postings } of ledger.nodes) expect(Object.values(sums(postings)).every((sum) => sum === 0)).toBe(true);
    const topUp = ledger.nodes.find(({ kind }: Answer) => kind === 'TOP_UP');
    expect(topUp).toMatchObject({
      event: null,
      postings: [
        { account: 'TOP_UP', grant: null, commodity: 'usd', featureKey: null, amount: '-6' },
        { account: 'WALLET', grant: null, commodity: 'usd', featureKey: null, amount: '6' },
      ],
    });
  });

  it('tells of a commit of less that it is one, and what came back by it', async () => {
    const TOKENS = 'referenceId: "other", featureKey: "tokens"';
    await write('consume', `${TOKENS}, amount: 10`, '... on Consumption { amount }'); // what is included
    await write('grantCredits', `${TOKENS}, amount: 5`, '... on Grant { id }');
    const { id } = await write('reserve', `${TOKENS}, amount: 4`, '... on Reservation { id }');
    await write('commitReservation', `reservationId: "${id}", amount: 3`, '... on Consumption { amount }');
    const { customer } = await rig.data<Answer>(
      '{ customer(referenceId: "other") { ledger(first: 1) { nodes { kind event { kind amount } postings { kind account amount } } } } }',
    );
    expect(customer.ledger.nodes).toEqual([
      {
        kind: 'COMMIT',
        event: { kind: 'COMMIT', amount: '3' },
        postings: [
          { kind: 'COMMIT', account: 'HELD', amount: '-3' },
          { kind: 'COMMIT', account: 'USAGE', amount: '3' },
          { kind: 'RELEASE', account: 'GRANT', amount: '1' },
          { kind: 'RELEASE', account: 'HELD', amount: '-1' },
        ],
      },
    ]);
  });

  it('comes a page at a time, without a gap or an overlap', async () => {
    const all = (await ofAcme(`ledger(first: 100) { ${ENTRIES} }`)).ledger.nodes;
    const paged: Answer[] = [];
    let after = 'null';
    for (let hasNextPage = true; hasNextPage; ) {
      const { ledger } = await ofAcme(`ledger(first: 2, after: ${after}) { ${ENTRIES} }`);
      paged.push(...ledger.nodes);
      hasNextPage = ledger.pageInfo.hasNextPage;
      after = JSON.stringify(ledger.pageInfo.endCursor);
    }
    expect(paged).toEqual(all);
    const { errors } = await rig.post(
      `{ customer(referenceId: "acme") { grants(first: 1, after: ${after}) { nodes { id } } } }`,
    );
    expect(errors?.[0]?.extensions?.code).toBe('INVALID_CURSOR');
  });

  it('can be narrowed to a feature', async () => {
    const { ledger } = await ofAcme(`ledger(first: 100, featureKey: "tokens") { nodes { kind } }`);
    expect(ledger.nodes.map(({ kind }: Answer) => kind)).not.toContain('TOP_UP');
    const ofCalls = (await ofAcme('ledger(first: 100, featureKey: "calls") { nodes { kind } }')).ledger.nodes;
    expect(ofCalls).toEqual([{ kind: 'RENEWAL' }]); // the plan's own credits
    const reply = await rig.post(
      '{ customer(referenceId: "acme") { ledger(first: 1, featureKey: "nothing") { nodes { kind } } } }',
    );
    expect(refusalsOf(reply).codes).toEqual(['FEATURE_NOT_FOUND']);
  });

  describe('what a customer has', () => {
    it('are grants, newest first, of one feature or all', async () => {
      const listed = (await ofAcme('grants(first: 1) { nodes { id } pageInfo { hasNextPage endCursor } }')).grants;
      expect(listed).toMatchObject({ nodes: [{ id: grants[1] }], pageInfo: { hasNextPage: true } });
      const after = JSON.stringify(listed.pageInfo.endCursor);
      const rest = (await ofAcme(`grants(first: 10, after: ${after}, featureKey: "tokens") { nodes { id } }`)).grants;
      expect(rest.nodes).toEqual([{ id: grants[0] }]);
    });

    it('is money, a wallet a currency', async () => {
      expect(
        (await ofAcme('wallets { currency balance { amount } available { amount } pendingTopUp { askedAt } }')).wallets,
      ).toEqual([{ currency: 'usd', balance: { amount: '0' }, available: { amount: '0' }, pendingTopUp: null }]);
      const { customer } = await rig.data<Answer>('{ customer(referenceId: "other") { wallets { currency } } }');
      expect(customer.wallets).toEqual([]);
    });

    it('are reservations, which are over at their time', async () => {
      const listed = async (state: string) =>
        (
          await ofAcme(
            `reservations(first: 10${state}) { nodes { amount state usage { reserved } closedAt split { included overage } } }`,
          )
        ).reservations.nodes;
      const amounts = (nodes: readonly Answer[]) => nodes.map(({ amount, state }) => [amount, state]);
      expect(amounts(await listed(''))).toEqual(
        expect.arrayContaining([
          ['1', 'OPEN'],
          ['2', 'OPEN'],
        ]),
      );
      rig.clock.advance(60_000);
      expect(amounts(await listed(', state: OPEN'))).toEqual([['2', 'OPEN']]);
      const [expired] = await listed(', state: EXPIRED');
      expect(expired).toMatchObject({ amount: '1', state: 'EXPIRED', closedAt: expect.any(String) });
      expect(await listed(', state: COMMITTED, featureKey: "tokens"')).toEqual([]);
    });
  });

  describe('to whom', () => {
    const ALL =
      'ledger(first: 100) { nodes { kind } } grants(first: 9) { nodes { featureKey } } wallets { currency } reservations(first: 9) { nodes { featureKey } }';

    it('a customer sees its own', async () => {
      const own = await ofAcme(ALL, rig.as(await makeToken(rig)));
      expect(own).toEqual(await ofAcme(ALL));
    });

    it('with a token for some features, what is about them', async () => {
      const own = await ofAcme(ALL, rig.as(await makeToken(rig, { featureKeys: ['calls'] })));
      expect(own).toEqual({
        ledger: { nodes: [{ kind: 'RENEWAL' }] },
        grants: { nodes: [{ featureKey: 'calls' }] },
        wallets: [{ currency: 'usd' }],
        reservations: { nodes: [] },
      });
      const other = rig.as(await makeToken(rig, { featureKeys: ['calls'] }));
      expect(await other.data('query ($id: ID!) { node(id: $id) { id } }', { id: grants[0] })).toEqual({ node: null });
    });

    it('another customer or tenant sees none of it', async () => {
      const stranger = rig.as((await addTenant(rig)).key);
      for (const who of [rig.as(await makeToken(rig, { referenceId: 'other' })), stranger]) {
        expect(await who.data('query ($id: ID!) { node(id: $id) { id } }', { id: grants[0] })).toEqual({ node: null });
        expect(await who.data('{ customer(referenceId: "acme") { id } }')).toEqual({ customer: null });
      }
    });
  });
});
