/** Goal: features, plans, keys and alerts are what the last mutation made them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { CONSUME, leavingNoTrace, openRig, type Rig, use } from './rig.ts';

let rig: Rig;

describeEngines('configuring', (engine) => {
  beforeAll(async () => {
    rig = await openRig({ database: await engine.open() });
  });

  const FEATURE = `key displayName unit aggregation reset limit included minLimit enforcement thresholds { kind value }
  price { unitAmount currency } details archivedAt`;
  const RULES = 'rateLimits { limit windowSeconds }';
  const WALLET = 'wallet { currency floor autoTopUp { threshold amount maxPerMonth coolOffSeconds } }';
  const PLAN = `key displayName version price { amount currency interval } ${RULES} spendLimit { amount currency } ${WALLET}
  features { featureKey limit limitIsSet included enforcement minLimit thresholds { kind value } price { unitAmount currency } }`;
  const MORE = `of resetInterval { every unit } anchor dimensions billing spendLimit entityLimit value ${RULES}
  price { model unitAmount packageSize tiers { upTo unitAmount flatAmount } }
  credits { allocation onRenewal rollover { maxFraction expiresAfter { every unit } } reset priority }`;
  const saveFeature = async (input: Record<string, unknown>) =>
    (
      await rig.data<{ saveFeature: Record<string, unknown> }>(
        `mutation ($input: SaveFeatureInput!) { saveFeature(input: $input) { ... on Feature { ${FEATURE} } ... on UserError { code path } } }`,
        { input },
      )
    ).saveFeature;
  const savePlan = async (input: Record<string, unknown>) =>
    (
      await rig.data<{ savePlan: Record<string, unknown> }>(
        `mutation ($input: SavePlanInput!) { savePlan(input: $input) { ... on Plan { ${PLAN} } ... on UserError { code path } } }`,
        { input },
      )
    ).savePlan;

  const DEFAULT_THRESHOLDS = [
    { kind: 'FRACTION', value: '0.8' },
    { kind: 'FRACTION', value: '1' },
  ];

  describe('a feature', () => {
    it('has defaults for all but its key', async () => {
      const bare = {
        key: 'page_views',
        displayName: 'Page views',
        unit: null,
        aggregation: 'SUM',
        reset: 'MONTHLY',
        limit: null,
        included: null,
        minLimit: null,
        enforcement: null,
        thresholds: DEFAULT_THRESHOLDS,
        price: null,
        details: [],
        archivedAt: null,
      };
      expect(await saveFeature({ key: 'page_views' })).toEqual(bare);
      expect(await rig.data(`{ feature(key: "page_views") { ${FEATURE} } }`)).toEqual({ feature: bare });
    });

    it('is all that is said of it', async () => {
      const said = {
        key: 'tokens',
        displayName: 'Tokens',
        unit: 'token',
        aggregation: 'SUM',
        reset: 'DAILY',
        limit: '1000.5',
        included: 100,
        minLimit: '0',
        enforcement: 'SOFT',
        thresholds: [{ fraction: '0.5' }, { used: 900 }, { remaining: '10' }],
        price: { unitAmount: '0.25' },
        details: ['Fast', 'Exact'],
      };
      const kept = {
        ...said,
        included: '100',
        thresholds: [
          { kind: 'FRACTION', value: '0.5' },
          { kind: 'USED', value: '900' },
          { kind: 'REMAINING', value: '10' },
        ],
        price: { unitAmount: '0.25', currency: 'usd' },
        archivedAt: null,
      };
      expect(await saveFeature(said)).toEqual(kept);
      expect(await rig.data(`{ feature(key: "tokens") { ${FEATURE} } }`)).toEqual({ feature: kept });
    });

    it('has every policy field that is said of it', async () => {
      const said = {
        key: 'seats_held',
        aggregation: 'UNIQUE',
        of: 'user_id',
        resetInterval: { every: 6, unit: 'HOUR' },
        anchor: 'SUBSCRIPTION',
        dimensions: ['model'],
        billing: 'PREPAID',
        spendLimit: '500',
        entityLimit: null,
        value: 'eu',
        rateLimits: [{ limit: 5, windowSeconds: 60 }],
        price: {
          tiers: [
            { upTo: '10', unitAmount: '2' },
            { upTo: null, flatAmount: '5' },
          ],
        },
        credits: { allocation: '100', rollover: { maxFraction: '0.5', expiresAfter: { every: 3, unit: 'MONTH' } } },
      };
      const kept = {
        ...said,
        reset: 'INTERVAL',
        price: {
          model: 'GRADUATED',
          unitAmount: null,
          packageSize: null,
          tiers: [
            { upTo: '10', unitAmount: '2', flatAmount: '0' },
            { upTo: null, unitAmount: '0', flatAmount: '5' },
          ],
        },
        credits: { ...said.credits, onRenewal: 'ROLLOVER', reset: null, priority: 0 },
      };
      expect(await saveFeature(said)).toMatchObject({ key: 'seats_held', reset: 'INTERVAL' });
      const read = () => rig.data(`{ feature(key: "seats_held") { key aggregation reset ${MORE} } }`);
      expect(await read()).toEqual({ feature: kept });
      const limits = `{ customer(referenceId: "acme") { limits { feature { key } reset ${MORE.replace('of ', '').replace('anchor dimensions ', '')} } } }`;
      const { customer } = await rig.data<{ customer: { limits: { feature: { key: string } }[] } }>(limits);
      const { key, aggregation, of, anchor, dimensions, ...policy } = kept;
      expect(customer.limits.find(({ feature }) => feature.key === key)).toEqual({ feature: { key }, ...policy });

      const nulls = { of: null, aggregation: null, reset: null, billing: null, spendLimit: null, credits: null };
      await saveFeature({ ...nulls, key, price: null, rateLimits: null, value: null, entityLimit: null, anchor: null });
      expect(await read()).toMatchObject({
        feature: { aggregation: 'SUM', of: null, reset: 'MONTHLY', anchor: 'CALENDAR', price: null, credits: null },
      });
      await saveFeature({ key, entityLimit: '10' }); // of what adds up alone
      expect(await read()).toMatchObject({ feature: { entityLimit: '10' } });
    });

    it('keeps what an edit leaves out, and goes back to defaults where it says null', async () => {
      const said = {
        key: 'gigabytes',
        displayName: 'Disk',
        unit: 'GB',
        aggregation: 'COUNT',
        reset: 'NEVER',
        limit: '10',
        included: '5',
        minLimit: '0',
        enforcement: 'SOFT',
        thresholds: [{ used: '3' }],
        price: { unitAmount: '1', currency: 'eur' },
        details: ['Mirrored'],
      };
      const kept = await saveFeature(said);
      expect(await saveFeature({ key: 'gigabytes' })).toEqual(kept);
      expect(await saveFeature({ key: 'gigabytes', limit: 11 })).toEqual({ ...kept, limit: '11' });
      const cleared = Object.fromEntries(Object.keys(said).map((field) => [field, field === 'key' ? said.key : null]));
      expect(await saveFeature(cleared)).toEqual({
        key: 'gigabytes',
        displayName: 'Gigabytes',
        unit: null,
        aggregation: 'SUM',
        reset: 'MONTHLY',
        limit: null,
        included: null,
        minLimit: null,
        enforcement: null,
        thresholds: DEFAULT_THRESHOLDS,
        price: null,
        details: [],
        archivedAt: null,
      });
    });

    it('given another name goes on counting where it was', async () => {
      await saveFeature({ key: 'seats', reset: 'NEVER', limit: 9 });
      await rig.data(
        'mutation { setCustomerLimits(input: { referenceId: "other", limits: [{ featureKey: "seats", limit: 9 }] }) { __typename } }',
      );
      const consume = () => rig.data(CONSUME, use({ referenceId: 'other', featureKey: 'seats', amount: 2 }));
      expect(await consume()).toMatchObject({ consume: { usage: { used: '2' } } });
      await saveFeature({ key: 'seats', displayName: 'Places' });
      expect(await consume()).toMatchObject({ consume: { usage: { used: '4' } } });
    });

    it('refuses what does not go with a field that stays', async () => {
      await saveFeature({ key: 'floored', limit: 10, minLimit: 5 });
      expect(await leavingNoTrace(rig, () => saveFeature({ key: 'floored', limit: 4 }))).toEqual({
        code: 'INVALID_INPUT',
        path: ['input', 'minLimit'],
      });
    });

    it.each([
      [{ key: 'x', included: '1e400' }, ['input', 'included']],
      [{ key: 'x', thresholds: [{ used: 5 }, { fraction: 'half' }] }, ['input', 'thresholds', '1', 'fraction']],
      [{ key: 'x', price: { unitAmount: 1, currency: 'dollars' } }, ['input', 'price', 'currency']],
      [{ key: 'x', price: { unitAmount: 1, packageSize: 0 } }, ['input', 'price', 'packageSize']],
      [{ key: 'x', price: { tiers: [{ upTo: 5, unitAmount: 1 }] } }, ['input', 'price', 'tiers', '0', 'upTo']],
      [{ key: 'x', aggregation: 'UNIQUE' }, ['input', 'of']],
      [{ key: 'x', aggregation: 'DURATION', unit: 'week' }, ['input', 'unit']],
      [{ key: 'x', reset: 'DAILY', resetInterval: { every: 1, unit: 'DAY' } }, ['input', 'resetInterval']],
      [{ key: 'x', resetInterval: { every: 0, unit: 'DAY' } }, ['input', 'resetInterval']],
      [{ key: 'x', spendLimit: 5 }, ['input', 'spendLimit']], // nothing costs anything
      [{ key: 'x', credits: { allocation: 0 } }, ['input', 'credits', 'allocation']],
    ])('refuses %j', async (input, path) => {
      expect(await leavingNoTrace(rig, () => saveFeature(input))).toEqual({ code: 'INVALID_INPUT', path });
    });
  });

  describe('a plan', () => {
    it('is all that is said of it, and counts its changes', async () => {
      const said = {
        key: 'team',
        displayName: 'Team',
        price: [{ amount: '2000', currency: 'usd', interval: 'MONTH' }],
        rateLimits: [
          { limit: 100, windowSeconds: 60 },
          { limit: 1_000, windowSeconds: 3_600 },
        ],
        spendLimit: { amount: '50000', currency: 'usd' },
        wallet: {
          currency: 'usd',
          floor: '-500',
          autoTopUp: null,
        },
        features: [
          { featureKey: 'api_calls', limit: null },
          { featureKey: 'storage', limit: '100', thresholds: [] },
          { featureKey: 'exports' },
        ],
      };
      const unset = {
        limit: null,
        limitIsSet: false,
        included: null,
        enforcement: null,
        minLimit: null,
        thresholds: null,
        price: null,
      };
      const kept = {
        ...said,
        version: 1,
        features: [
          { ...unset, featureKey: 'api_calls', limitIsSet: true },
          { ...unset, featureKey: 'storage', limit: '100', limitIsSet: true, thresholds: [] },
          { ...unset, featureKey: 'exports' },
        ],
      };
      const byKey = (plan: Record<string, unknown>) => ({
        ...plan,
        features: [...(plan.features as { featureKey: string }[])].sort((a, b) =>
          a.featureKey < b.featureKey ? -1 : 1,
        ),
      });
      expect(byKey(await savePlan(said))).toEqual(byKey(kept));
      expect(byKey(await savePlan(said))).toEqual(byKey(kept));
      const { plan } = await rig.data<{ plan: Record<string, unknown> }>(`{ plan(key: "team") { ${PLAN} } }`);
      expect(byKey(plan)).toEqual(byKey(kept));
      expect(await savePlan({ ...said, displayName: 'Teams' })).toMatchObject({ version: 2, displayName: 'Teams' });
    });

    it('keeps what an edit leaves out, except its features, and goes back to defaults where it says null', async () => {
      const said = {
        key: 'kept',
        displayName: 'Keeper',
        price: [{ amount: '5', currency: 'usd', interval: 'MONTH' }],
        rateLimits: [{ limit: 100, windowSeconds: 60 }],
        spendLimit: { amount: '50000', currency: 'usd' },
        wallet: { currency: 'eur', floor: '0', autoTopUp: null },
      };
      const kept = await savePlan({ ...said, features: [{ featureKey: 'exports' }] });
      expect(kept).toMatchObject(said);
      expect(await savePlan({ key: 'kept', features: [{ featureKey: 'exports' }] })).toEqual(kept);
      expect(await savePlan({ key: 'kept', features: [] })).toEqual({ ...kept, version: 2, features: [] });
      const nulls = { displayName: null, price: null, rateLimits: null, spendLimit: null, wallet: null };
      const cleared = { ...nulls, key: 'kept', features: [] };
      expect(await savePlan(cleared)).toEqual({
        ...cleared,
        version: 3,
        displayName: 'Kept',
        price: [],
        rateLimits: [],
      });
    });

    it('leaves those who have it on their version, unless they are moved: then from their next call on', async () => {
      await savePlan({ key: 'small', features: [{ featureKey: 'api_calls', limit: 1 }] });
      await rig.data('mutation { setCustomerPlan(input: { referenceId: "other", planKey: "small" }) { __typename } }');
      const consume = () => rig.data(CONSUME, use({ referenceId: 'other' }));
      expect(await consume()).toMatchObject({ consume: { allowed: true } });
      expect(await consume()).toMatchObject({ consume: { allowed: false, denial: { reason: 'LIMIT_REACHED' } } });
      const larger = { key: 'small', features: [{ featureKey: 'api_calls', limit: 2 }] };
      await savePlan(larger);
      expect(await consume()).toMatchObject({ consume: { allowed: false } });
      type Saved = { readonly id: string; readonly version: number };
      const plans = () =>
        rig.data<{ plan: Saved; customer: { planVersion: number; plan: Saved } }>(
          '{ plan(key: "small") { id version } customer(referenceId: "other") { planVersion plan { id version } } }',
        );
      const apart = await plans();
      expect(apart).toMatchObject({ plan: { version: 2 }, customer: { planVersion: 1, plan: { version: 1 } } });
      const nodes = [apart.plan, apart.customer.plan]; // two objects, for caches too
      expect(
        await rig.data('query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Plan { version } } }', {
          ids: nodes.map(({ id }) => id),
        }),
      ).toEqual({ nodes });
      await savePlan({ ...larger, existingCustomers: 'MOVE' });
      expect(await consume()).toMatchObject({ consume: { allowed: true } });
      expect(await plans()).toMatchObject({ plan: { version: 2 }, customer: { planVersion: 2, plan: { version: 2 } } });
    });

    it.each([
      [{ price: [{ amount: 'free', currency: 'usd', interval: 'MONTH' }] }, ['input', 'price', '0', 'amount']],
      [
        { features: [{ featureKey: 'exports' }, { featureKey: 'storage', limit: -1 }] },
        ['input', 'features', '1', 'limit'],
      ],
      [{ features: [{ featureKey: 'exports', minLimit: 'x' }] }, ['input', 'features', '0', 'minLimit']],
      [{ rateLimits: { limit: 1, windowSeconds: 0 } }, ['input', 'rateLimits', '0', 'windowSeconds']],
      [{ spendLimit: { amount: -1 } }, ['input', 'spendLimit', 'amount']],
      [{ wallet: { autoTopUp: { threshold: 1, amount: 'x' } } }, ['input', 'wallet', 'autoTopUp', 'amount']],
      [
        { wallet: { autoTopUp: { threshold: 1, amount: 1, coolOffSeconds: -1 } } },
        ['input', 'wallet', 'autoTopUp', 'coolOffSeconds'],
      ],
      [{ wallet: { autoTopUp: { threshold: 1, amount: 1 } } }, ['input', 'wallet', 'autoTopUp']], // nothing is prepaid
      [
        { features: [{ featureKey: 'exports', credits: { allocation: 1, rollover: { max: 0 } } }] },
        ['input', 'features', '0', 'credits', 'rollover', 'max'],
      ],
      [{ features: [{ featureKey: 'exports', billing: 'PREPAID' }] }, ['input', 'features', '0', 'billing']],
    ])('refuses %j', async (input, path) => {
      const answer = await leavingNoTrace(rig, () => savePlan({ key: 'x', features: [], ...input }));
      expect(answer).toEqual({ code: 'INVALID_INPUT', path });
    });
  });

  describe('an alert', () => {
    it('is acknowledged once', async () => {
      await rig.data(CONSUME, use({ featureKey: 'storage', amount: 80 }));
      const { alerts } = await rig.data<{ alerts: { nodes: { id: string }[] } }>(
        '{ alerts(first: 1) { nodes { id referenceId featureKey used limit threshold { kind value } raisedAt acknowledgedAt } } }',
      );
      expect(alerts.nodes).toEqual([
        {
          id: expect.any(String),
          referenceId: 'acme',
          featureKey: 'storage',
          used: '80',
          limit: '100',
          threshold: { kind: 'FRACTION', value: '0.8' },
          raisedAt: '2026-03-15T12:00:00.000Z',
          acknowledgedAt: null,
        },
      ]);
      const acknowledge = () =>
        rig.data(
          `mutation ($id: ID!) { acknowledgeAlert(input: { id: $id }) { ... on Alert { id acknowledgedAt } ... on UserError { code } } }`,
          { id: alerts.nodes[0]?.id },
        );
      const acknowledged = {
        acknowledgeAlert: { id: alerts.nodes[0]?.id, acknowledgedAt: '2026-03-15T12:01:00.000Z' },
      };
      rig.clock.advance(60_000);
      expect(await acknowledge()).toEqual(acknowledged);
      rig.clock.advance(60_000);
      expect(await acknowledge()).toEqual(acknowledged);
    });
  });

  describe('an API key', () => {
    const KEY = 'keyId name scopes createdAt expiresAt revokedAt';
    const create = (input: Record<string, unknown>) =>
      rig.data<{ createApiKey: { secret: string; apiKey: { keyId: string } } }>(
        `mutation ($input: CreateApiKeyInput!) {
        createApiKey(input: $input) { ... on CreatedApiKey { secret apiKey { id ${KEY} } } ... on UserError { code path } }
      }`,
        { input },
      );

    it('is shown once, and of its secret only a hash is kept', async () => {
      const { createApiKey } = await create({ name: 'CI', scopes: ['READ', 'INGEST', 'READ'] });
      const { secret, apiKey } = createApiKey;
      expect(secret).toMatch(new RegExp(`^mg_live_${apiKey.keyId}_[0-9A-Za-z]{32}$`));
      expect(apiKey).toMatchObject({
        name: 'CI',
        scopes: expect.arrayContaining(['INGEST', 'READ']),
        expiresAt: null,
        revokedAt: null,
      });
      const text = 'SELECT to_json(k)::text AS row FROM api_keys k WHERE id = $1';
      const [row] = await rig.database.query<{ row: string }>({ text, params: [apiKey.keyId] });
      expect(row?.row).not.toContain(secret.slice(-32));
      expect(await rig.as(secret).data(`{ viewer { apiKey { ${KEY} } customer { id } } }`)).toMatchObject({
        viewer: { apiKey: { keyId: apiKey.keyId, name: 'CI' }, customer: null },
      });
    });

    it('is revoked once', async () => {
      const { createApiKey } = await create({ scopes: ['READ'] });
      const { keyId } = createApiKey.apiKey;
      const revoke = () =>
        rig.data<{ revokeApiKey: unknown }>(
          'mutation ($keyId: String!) { revokeApiKey(input: { keyId: $keyId }) { ... on ApiKey { keyId revokedAt } } }',
          { keyId },
        );
      const first = await revoke();
      expect(first).toEqual({ revokeApiKey: { keyId, revokedAt: new Date(rig.clock.now()).toISOString() } });
      rig.clock.advance(60_000);
      expect(await revoke()).toEqual(first);
    });
  });

  describe('a customer token', () => {
    const create = (input: Record<string, unknown>) =>
      rig.data<{ createCustomerToken: { token: string; expiresAt: string } }>(
        `mutation ($input: CreateCustomerTokenInput!) {
        createCustomerToken(input: $input) { ... on CustomerToken { token expiresAt } ... on UserError { code path } }
      }`,
        { input: { referenceId: 'acme', ...input } },
      );

    it('is valid for as long as was asked', async () => {
      const { createCustomerToken } = await create({ ttlSeconds: 60 });
      expect(Date.parse(createCustomerToken.expiresAt)).toBe(rig.clock.now() + 60_000);
      expect(await rig.as(createCustomerToken.token).data('{ customer { referenceId } }')).toEqual({
        customer: { referenceId: 'acme' },
      });
    });
  });

  describe('several calls at once', () => {
    const MANY = `mutation ($input: ConsumeManyInput!) { consumeMany(input: $input) {
    ... on ConsumeManyPayload { results { __typename ... on Consumption { allowed usage { used } } ... on UserError { code path } } }
    ... on UserError { code path message }
  } }`;

    it('have a result each, in their order', async () => {
      const inputs = [
        use({ featureKey: 'exports' }).input,
        use({ featureKey: 'exports', amount: 0 }).input,
        use({ referenceId: 'nobody' }).input,
        use({ featureKey: 'exports', amount: 2 }).input,
        use({ featureKey: 'exprts' }).input,
        use({ overrideKey: 'prro' }).input,
        use({ featureKey: 'exports', properties: 'x' }).input,
        use({ featureKey: 'exports' }).input,
      ];
      const at = (i: number, field: string) => ['input', 'inputs', String(i), field];
      expect(await rig.data(MANY, { input: { inputs } })).toEqual({
        consumeMany: {
          results: [
            { __typename: 'Consumption', allowed: true, usage: { used: '1' } },
            { __typename: 'InvalidAmountError', code: 'INVALID_AMOUNT', path: at(1, 'amount') },
            { __typename: 'CustomerNotFoundError', code: 'CUSTOMER_NOT_FOUND', path: at(2, 'referenceId') },
            { __typename: 'InvalidAmountError', code: 'INVALID_AMOUNT', path: at(3, 'amount') },
            { __typename: 'FeatureNotFoundError', code: 'FEATURE_NOT_FOUND', path: at(4, 'featureKey') },
            { __typename: 'PlanNotFoundError', code: 'PLAN_NOT_FOUND', path: at(5, 'overrideKey') },
            { __typename: 'InvalidInputError', code: 'INVALID_INPUT', path: at(6, 'properties') },
            { __typename: 'Consumption', allowed: true, usage: { used: '2' } },
          ],
        },
      });
    });
  });
});
