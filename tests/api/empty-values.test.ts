/** Goal: what is empty is refused by name, never taken for left out, and null says what it says. Method: tables, on both databases. */
import { beforeAll, describe, expect, it } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { CONSUME, leavingNoTrace, makeKey, openRig, REGISTER, type Rig, refusalsOf, use } from './rig.ts';

type Refusal = { readonly code: string; readonly message: string; readonly path: readonly string[] };

describeEngines('empty values', (engine) => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open() });
  });

  const call = (name: string, type: string) =>
    `mutation ($input: ${type}!) { ${name}(input: $input) { __typename ... on UserError { code message path } } }`;
  const SAVE_FEATURE = call('saveFeature', 'SaveFeatureInput');
  const SAVE_PLAN = call('savePlan', 'SavePlanInput');
  const CREATE_KEY = call('createApiKey', 'CreateApiKeyInput');
  const acme = { referenceId: 'acme' };
  const BLANK = /nothing but blanks/;

  it.each<[document: string, input: Record<string, unknown>, path: readonly string[], says: RegExp]>([
    [REGISTER, { referenceId: '' }, ['referenceId'], /empty/],
    [REGISTER, { referenceId: ' \u00a0 ' }, ['referenceId'], BLANK],
    [REGISTER, { ...acme, referenceType: '' }, ['referenceType'], /empty/],
    [REGISTER, { ...acme, name: '' }, ['name'], /empty/],
    [REGISTER, { ...acme, name: ' ' }, ['name'], BLANK],
    [REGISTER, { ...acme, email: '' }, ['email'], /empty/],
    [REGISTER, { ...acme, planKey: '' }, ['planKey'], /""/],
    [REGISTER, { ...acme, timeZone: '' }, ['timeZone'], /""/],
    [REGISTER, { ...acme, metadata: 0 }, ['metadata'], /not an object/],
    [REGISTER, { ...acme, metadata: '' }, ['metadata'], /not an object/],
    [REGISTER, { ...acme, metadata: false }, ['metadata'], /not an object/],
    [REGISTER, { ...acme, metadata: [] }, ['metadata'], /not an object/],
    [SAVE_FEATURE, { key: '' }, ['key'], /""/],
    [SAVE_FEATURE, { key: 'x', displayName: '' }, ['displayName'], /empty/],
    [SAVE_FEATURE, { key: 'x', unit: '' }, ['unit'], /empty/],
    [SAVE_FEATURE, { key: 'x', details: [''] }, ['details', '0'], /empty/],
    [SAVE_FEATURE, { key: 'x', price: { unitAmount: 1, currency: '' } }, ['price', 'currency'], /""/],
    [SAVE_PLAN, { key: 'x', displayName: '', features: [] }, ['displayName'], /empty/],
    [CREATE_KEY, { scopes: ['READ'], name: '' }, ['name'], /empty/],
    [CONSUME, { ...use().input, overrideKey: '' }, ['overrideKey'], /""/],
    [CONSUME, { ...use().input, idempotencyKey: '' }, ['idempotencyKey'], /empty/],
    [CONSUME, { ...use().input, properties: 0 }, ['properties'], /not an object/],
    [CONSUME, { ...use().input, properties: '' }, ['properties'], /not an object/],
    [CONSUME, { ...use().input, properties: false }, ['properties'], /not an object/],
  ])('%s refuses %j', async (document, input, path, says) => {
    const reply = await leavingNoTrace(rig, () => rig.post(document, { input }));
    expect(reply.errors).toBeUndefined();
    const [refusal] = Object.values(reply.data ?? {}) as Refusal[];
    expect(refusal).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', ...path],
      message: expect.stringMatching(says),
    });
  });

  it.each([
    '{ customers(first: 1, after: "") { nodes { id } } }',
    '{ events(first: 1, after: "") { nodes { id } } }',
    '{ events(first: 1, referenceId: "acme", after: "") { nodes { id } } }',
    '{ alerts(first: 1, after: "") { nodes { id } } }',
    '{ features(first: 1, after: "") { nodes { id } } }',
    '{ plans(first: 1, after: "") { nodes { id } } }',
  ])('%s is no first page', async (query) => {
    expect(refusalsOf(await rig.post(query))).toMatchObject({ codes: ['INVALID_CURSOR'] });
    expect(await rig.data(query.replace('after: ""', 'after: null'))).toBeTruthy();
  });

  describe('an amount', () => {
    it.each([
      ['in a variable', JSON.parse(JSON.stringify({ amount: Number.NaN })) as Record<string, unknown>],
      ['said aloud', { amount: null }],
    ])('of null is refused: %s', async (_, amount) => {
      const { consume } = await leavingNoTrace(rig, () => rig.data(CONSUME, use(amount)));
      expect(consume).toEqual({
        code: 'INVALID_AMOUNT',
        message: 'Amount is null; leave it out for 1, or send a number.',
        path: ['input', 'amount'],
      });
    });

    it('of null is refused in a document of its own, and from a variable that is null', async () => {
      const consume = (amount: string, variables = '') =>
        `mutation${variables} { consume(input: { referenceId: "acme", featureKey: "api_calls"${amount} }) {
          __typename ... on Consumption { amount } ... on UserError { code }
        } }`;
      const fromVariable = consume(', amount: $amount', '($amount: Decimal)');
      const refused = { consume: { __typename: 'InvalidAmountError', code: 'INVALID_AMOUNT' } };
      expect(await rig.data(consume(', amount: null'))).toEqual(refused);
      expect(await rig.data(fromVariable, { amount: null })).toEqual(refused);
      const counted = { consume: { __typename: 'Consumption', amount: '1' } };
      expect(await rig.data(fromVariable)).toEqual(counted);
      expect(await rig.data(consume(''))).toEqual(counted);
    });
  });

  describe('a time zone', () => {
    const register = (timeZone: string) =>
      rig.data(
        `mutation ($timeZone: String) { registerCustomer(input: { referenceId: "zoned", timeZone: $timeZone }) {
          ... on Customer { timeZone } ... on UserError { code path }
        } }`,
        { timeZone },
      );

    it.each([
      ['europe/berlin', 'Europe/Berlin'],
      ['utc', 'UTC'],
      ['AMERICA/PORT-AU-PRINCE', 'America/Port-au-Prince'],
    ])('%s is kept as %s', async (said, kept) => {
      expect(await register(said)).toEqual({ registerCustomer: { timeZone: kept } });
      expect(await rig.data('{ customer(referenceId: "zoned") { timeZone } }')).toEqual({
        customer: { timeZone: kept },
      });
    });

    it.each(['+05:30', '-03', '2026-01-01T00:00Z', '2026-01-01T00:00[Europe/Berlin]'])('%s is none', async (said) => {
      const answer = await leavingNoTrace(rig, () => register(said));
      expect(answer).toEqual({ registerCustomer: { code: 'INVALID_INPUT', path: ['input', 'timeZone'] } });
    });
  });

  it('half of a surrogate pair is called by its name', async () => {
    const { registerCustomer } = await rig.data<{ registerCustomer: Refusal }>(REGISTER, {
      input: { ...acme, name: 'a\ud800' },
    });
    expect(registerCustomer.message).toBe(
      '`name` has half of a surrogate pair in it; only whole characters are allowed.',
    );
  });

  describe('a key that only writes', () => {
    it('registers, but reads nothing that is kept of the customer', async () => {
      const ingester = rig.as((await makeKey(rig, ['ingest'])).secret);
      const register = (field: string) =>
        `mutation { registerCustomer(input: { referenceId: "acme" }) { ... on Customer { referenceId ${field} } } }`;
      expect(await ingester.data(register('timeZone'))).toMatchObject({ registerCustomer: { referenceId: 'acme' } });
      for (const field of ['usages { used }', 'limits { limit }', 'metadata']) {
        const { errors } = await ingester.post(register(field));
        expect(errors, field).toMatchObject([
          { path: ['registerCustomer', /^\w+/.exec(field)?.[0]], extensions: { code: 'FORBIDDEN' } },
        ]);
        expect(await rig.data(register(field))).toMatchObject({ registerCustomer: { referenceId: 'acme' } });
      }
    });
  });
});
