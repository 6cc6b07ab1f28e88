/** Goal: what no call may say is refused by name, and nothing is written. Method: tables, on both databases. */
import { beforeAll, describe, expect, it } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { A_SENTENCE, leavingNoTrace, openRig, REGISTER, type Rig, refusalsOf } from './rig.ts';

const NUL = '\u0000';
const HALF = '\ud800';

describeEngines('bad values', (engine) => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open() });
    await rig.data(
      'mutation { max: saveFeature(input: { key: "peak", aggregation: MAX }) { __typename } sum: saveFeature(input: { key: "shared" }) { __typename } }',
    );
    await rig.data(
      'mutation { savePlan(input: { key: "teams", features: [{ featureKey: "shared", entityLimit: 5 }] }) { __typename } }',
    );
  });

  describe('in other mutations', () => {
    const register = (input: Record<string, unknown>) =>
      [REGISTER, { input: { referenceId: 'new', ...input } }] as const;
    const call = (name: string, type: string, input: Record<string, unknown>) =>
      [
        `mutation ($input: ${type}!) { ${name}(input: $input) { __typename ... on UserError { code message path } } }`,
        { input },
      ] as const;

    it.each<[what: string, call: readonly [string, Record<string, unknown>], code: string, path: readonly string[]]>([
      ['a reference with a tab', register({ referenceId: 'a\tb' }), 'INVALID_INPUT', ['referenceId']],
      ['a name with NUL', register({ name: NUL }), 'INVALID_INPUT', ['name']],
      ['half a surrogate pair in a type', register({ referenceType: HALF }), 'INVALID_INPUT', ['referenceType']],
      ['an e-mail with a line break', register({ email: 'a@b\r\nbcc: c@d' }), 'INVALID_INPUT', ['email']],
      ['an unknown time zone', register({ timeZone: 'Mars/Olympus' }), 'INVALID_INPUT', ['timeZone']],
      ['an unknown plan', register({ planKey: 'por' }), 'PLAN_NOT_FOUND', ['planKey']],
      ['NUL in metadata', register({ metadata: { a: NUL } }), 'INVALID_INPUT', ['metadata']],
      ['NUL in a plan key', register({ planKey: NUL }), 'INVALID_INPUT', ['planKey']],
      [
        'an unknown customer of a plan',
        call('setCustomerPlan', 'SetCustomerPlanInput', { referenceId: 'nobody', planKey: 'pro' }),
        'CUSTOMER_NOT_FOUND',
        ['referenceId'],
      ],
      [
        'an unknown customer of a mute',
        call('muteAlerts', 'MuteAlertsInput', { referenceId: 'nobody' }),
        'CUSTOMER_NOT_FOUND',
        ['referenceId'],
      ],
      [
        'an unknown feature of a mute',
        call('muteAlerts', 'MuteAlertsInput', { referenceId: 'acme', featureKey: 'nope' }),
        'FEATURE_NOT_FOUND',
        ['featureKey'],
      ],
      [
        'a mute until yesterday',
        call('muteAlerts', 'MuteAlertsInput', { referenceId: 'acme', until: '2026-03-14T12:00:00Z' }),
        'INVALID_INPUT',
        ['until'],
      ],
      [
        'NUL in the feature of a lifted mute',
        call('unmuteAlerts', 'UnmuteAlertsInput', { referenceId: 'acme', featureKey: NUL }),
        'INVALID_INPUT',
        ['featureKey'],
      ],
      [
        'an unknown feature of a limit',
        call('setCustomerLimits', 'SetCustomerLimitsInput', {
          referenceId: 'acme',
          limits: [{ featureKey: 'nope', limit: '1' }],
        }),
        'FEATURE_NOT_FOUND',
        ['limits', '0', 'featureKey'],
      ],
      [
        'a negative limit',
        call('setCustomerLimits', 'SetCustomerLimitsInput', {
          referenceId: 'acme',
          limits: [{ featureKey: 'exports', limit: '-1' }],
        }),
        'INVALID_INPUT',
        ['limits', '0', 'limit'],
      ],
      [
        'a token of an unknown customer',
        call('createCustomerToken', 'CreateCustomerTokenInput', { referenceId: 'nobody' }),
        'CUSTOMER_NOT_FOUND',
        ['referenceId'],
      ],
      [
        'a token of an unknown feature',
        call('createCustomerToken', 'CreateCustomerTokenInput', { referenceId: 'acme', featureKeys: ['nope'] }),
        'FEATURE_NOT_FOUND',
        ['featureKeys', '0'],
      ],
      [
        'a token of 16 minutes',
        call('createCustomerToken', 'CreateCustomerTokenInput', { referenceId: 'acme', ttlSeconds: 960 }),
        'INVALID_INPUT',
        ['ttlSeconds'],
      ],
      [
        'a token of no time',
        call('createCustomerToken', 'CreateCustomerTokenInput', { referenceId: 'acme', ttlSeconds: 0 }),
        'INVALID_INPUT',
        ['ttlSeconds'],
      ],
      ['a key without scopes', call('createApiKey', 'CreateApiKeyInput', { scopes: [] }), 'INVALID_INPUT', ['scopes']],
      [
        'a key that has expired',
        call('createApiKey', 'CreateApiKeyInput', { scopes: ['READ'], expiresAt: '2020-01-01T00:00:00Z' }),
        'INVALID_INPUT',
        ['expiresAt'],
      ],
      [
        'NUL in the name of a key',
        call('createApiKey', 'CreateApiKeyInput', { scopes: ['READ'], name: NUL }),
        'INVALID_INPUT',
        ['name'],
      ],
      [
        'a key that is not there',
        call('revokeApiKey', 'RevokeApiKeyInput', { keyId: 'nope' }),
        'API_KEY_NOT_FOUND',
        ['keyId'],
      ],
      ['NUL for a key', call('revokeApiKey', 'RevokeApiKeyInput', { keyId: NUL }), 'API_KEY_NOT_FOUND', ['keyId']],
      [
        'an alert that is not there',
        call('acknowledgeAlert', 'AcknowledgeAlertInput', { id: 'bm9wZQ' }),
        'ALERT_NOT_FOUND',
        ['id'],
      ],
      ['a feature key with a space', call('saveFeature', 'SaveFeatureInput', { key: 'a b' }), 'INVALID_INPUT', ['key']],
      [
        'a feature key by the name of a prototype',
        call('saveFeature', 'SaveFeatureInput', { key: '__proto__' }),
        'INVALID_INPUT',
        ['key'],
      ],
      [
        'NUL in the name of a feature',
        call('saveFeature', 'SaveFeatureInput', { key: 'nul', displayName: NUL }),
        'INVALID_INPUT',
        ['displayName'],
      ],
      [
        'a feature with an empty name',
        call('saveFeature', 'SaveFeatureInput', { key: 'nameless', displayName: '' }),
        'INVALID_INPUT',
        ['displayName'],
      ],
      [
        'half a surrogate pair in a unit',
        call('saveFeature', 'SaveFeatureInput', { key: 'half', unit: HALF }),
        'INVALID_INPUT',
        ['unit'],
      ],
      [
        'NUL in a detail',
        call('saveFeature', 'SaveFeatureInput', { key: 'nul', details: ['ok', NUL] }),
        'INVALID_INPUT',
        ['details', '1'],
      ],
      [
        'two kinds of threshold in one',
        call('saveFeature', 'SaveFeatureInput', { key: 'two', thresholds: [{ used: '1', fraction: '1' }] }),
        'INVALID_INPUT',
        ['thresholds', '0'],
      ],
      [
        'two models of price in one',
        call('saveFeature', 'SaveFeatureInput', { key: 'two', price: { unitAmount: 1, percent: 1 } }),
        'INVALID_INPUT',
        ['price', 'unitAmount'],
      ],
      [
        'a price below 0',
        call('saveFeature', 'SaveFeatureInput', { key: 'two', price: { unitAmount: '-1' } }),
        'INVALID_INPUT',
        ['price', 'unitAmount'],
      ],
      [
        'a plan of an unknown feature',
        call('savePlan', 'SavePlanInput', { key: 'bad', features: [{ featureKey: 'nope' }] }),
        'FEATURE_NOT_FOUND',
        ['features', '0', 'featureKey'],
      ],
      [
        'a plan with a feature twice',
        call('savePlan', 'SavePlanInput', {
          key: 'bad',
          features: [{ featureKey: 'exports' }, { featureKey: 'exports' }],
        }),
        'INVALID_INPUT',
        ['features', '1', 'featureKey'],
      ],
      [
        'a plan with a limit below 0',
        call('savePlan', 'SavePlanInput', {
          key: 'bad',
          features: [{ featureKey: 'exports' }, { featureKey: 'storage', limit: '-1' }],
        }),
        'INVALID_INPUT',
        ['features', '1', 'limit'],
      ],
      [
        'a limit of each entity of a gauge',
        call('saveFeature', 'SaveFeatureInput', { key: 'level', aggregation: 'LATEST', entityLimit: 5 }),
        'INVALID_INPUT',
        ['entityLimit'],
      ],
      [
        'a plan with a limit of each entity of a gauge',
        call('savePlan', 'SavePlanInput', { key: 'bad', features: [{ featureKey: 'peak', entityLimit: 5 }] }),
        'INVALID_INPUT',
        ['features', '0', 'entityLimit'],
      ],
      [
        "a customer's limit of each entity of a gauge",
        call('setCustomerLimits', 'SetCustomerLimitsInput', {
          referenceId: 'acme',
          limits: [{ featureKey: 'peak', entityLimit: 5 }],
        }),
        'INVALID_INPUT',
        ['limits', '0', 'entityLimit'],
      ],
      [
        'a gauge made of what a plan limits for each entity',
        call('saveFeature', 'SaveFeatureInput', { key: 'shared', aggregation: 'MAX' }),
        'INVALID_INPUT',
        ['aggregation'],
      ],
      [
        'NUL in the name of a plan',
        call('savePlan', 'SavePlanInput', { key: 'bad', displayName: NUL, features: [] }),
        'INVALID_INPUT',
        ['displayName'],
      ],
      [
        'a plan with a name of 201 characters',
        call('savePlan', 'SavePlanInput', { key: 'bad', displayName: 'x'.repeat(201), features: [] }),
        'INVALID_INPUT',
        ['displayName'],
      ],
      [
        'a rate limit of nothing',
        call('savePlan', 'SavePlanInput', { key: 'bad', rateLimits: [{ limit: 0, windowSeconds: 60 }], features: [] }),
        'INVALID_INPUT',
        ['rateLimits', '0', 'limit'],
      ],
    ])('%s', async (_, [document, variables], code, path) => {
      const reply = await leavingNoTrace(rig, () => rig.post(document, variables));
      expect(reply.errors).toBeUndefined();
      const [refusal] = Object.values(reply.data ?? {});
      expect(refusal).toMatchObject({ code, path: ['input', ...path], message: expect.stringMatching(A_SENTENCE) });
    });
  });

  describe('in queries', () => {
    it.each<[what: string, query: string, code: string, says: RegExp]>([
      ['a page of 0', '{ customers(first: 0) { nodes { id } } }', 'INVALID_INPUT', /first.*from 1 to 100/],
      ['a page of 101', '{ events(first: 101) { nodes { id } } }', 'INVALID_INPUT', /first.*from 1 to 100/],
      ['a page of -1', '{ alerts(first: -1) { nodes { id } } }', 'INVALID_INPUT', /first.*from 1 to 100/],
      [
        'a cursor of nonsense',
        '{ customers(first: 1, after: "nonsense") { nodes { id } } }',
        'INVALID_CURSOR',
        /nonsense/,
      ],
      ['a cursor with NUL', '{ features(first: 1, after: "\\u0000") { nodes { id } } }', 'INVALID_CURSOR', /malformed/],
      [
        'a cursor of 5,000 characters',
        `{ plans(first: 1, after: "${'A'.repeat(5_000)}") { nodes { id } } }`,
        'INVALID_CURSOR',
        /malformed/,
      ],
      [
        'a reference with NUL',
        '{ usage(referenceId: "\\u0000", featureKey: "api_calls") { used } }',
        'INVALID_INPUT',
        /control/,
      ],
      [
        'an unknown feature',
        '{ usage(referenceId: "acme", featureKey: "api_cals") { used } }',
        'FEATURE_NOT_FOUND',
        /did you mean "api_calls"/,
      ],
      ['an unknown customer', '{ limits(referenceId: "nobody") { limit } }', 'CUSTOMER_NOT_FOUND', /nobody/],
      ['nobody to ask about', '{ usage(featureKey: "api_calls") { used } }', 'INVALID_INPUT', /referenceId/],
      ['101 ids', `{ nodes(ids: [${'"x",'.repeat(101)}]) { id } }`, 'INVALID_INPUT', /101.*100/],
    ])('%s', async (_, query, code, says) => {
      const reply = await leavingNoTrace(rig, () => rig.post(query));
      expect(refusalsOf(reply)).toEqual({ codes: [code], sentences: expect.stringMatching(says) });
    });

    it('a cursor of another list is refused', async () => {
      const { customers } = await rig.data<{ customers: { pageInfo: { endCursor: string } } }>(
        '{ customers(first: 1) { pageInfo { endCursor } } }',
      );
      const { endCursor } = customers.pageInfo;
      for (const list of ['events', 'alerts', 'features', 'plans']) {
        const reply = await rig.post(`{ ${list}(first: 1, after: "${endCursor}") { nodes { id } } }`);
        expect(refusalsOf(reply).codes, list).toEqual(['INVALID_CURSOR']);
      }
    });

    it.each(['', 'x', '\\u0000', 'QXBpS2V5IAA', 'Q3VzdG9tZXIgeA', 'RXZlbnQgeCB5', 'QWxlcnQg', 'UGxhbiA', 'Tm9uZSB4'])(
      'the id "%s" is nobody',
      async (id) => expect(await rig.data(`{ node(id: "${id}") { id } }`)).toEqual({ node: null }),
    );

    it('texts that no database keeps find nothing, or are refused by name', async () => {
      for (const query of [
        '{ feature(key: "\\u0000") { key } }',
        '{ plan(key: "\\u0000") { key } }',
        '{ events(first: 1, featureKey: "\\u0000") { nodes { id } } }',
        '{ alerts(first: 1, featureKey: "\\u0000") { nodes { id } } }',
      ]) {
        const { errors = [] } = await rig.post(query);
        expect(errors.map(({ extensions }) => extensions?.code)).not.toContain('INTERNAL_SERVER_ERROR');
      }
    });
  });
});
