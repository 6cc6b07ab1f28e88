/**
 * Goal: what the config's hooks say is what clients hear: a denial where calls answer with one, `FORBIDDEN` elsewhere,
 * and nothing is written either way.
 * Method: gateways with hooks as a config file writes them, asked over HTTP by keys and by a customer token.
 */
import { describe, expect, it } from 'vitest';
import type { HooksConfig } from '../../server/config-hooks.ts';
import type { AfterCall, AuthorizeCall, AuthorizeReference } from '../../server/hooks.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { writingNothing } from '../support/digests.ts';
import { TEST_CONFIG } from '../support/gateway.ts';
import { makeKey, makeToken, openRig, REGISTER, type Rig, use } from './rig.ts';

type Hooked = { readonly hooks?: HooksConfig; readonly authorizeReference?: AuthorizeReference };

/** A gateway of its own for each test. */
const rigWith = (hooked: Hooked): Promise<Rig> =>
  openRig({ hooks: parseConfig({ ...TEST_CONFIG, ...hooked }, 'the test').hooks });

const ANSWER = `
  ... on Consumption { allowed denial { reason message retryAt } amount usage { used } replayed }
  ... on UserError { code message }`;
const CONSUME = `mutation ($input: ConsumeInput!) { consume(input: $input) { ${ANSWER} } }`;
const CHECK = `query ($input: ConsumeInput!) { check(input: $input) { ${ANSWER} } }`;
const CONSUME_MANY = `mutation ($input: ConsumeManyInput!) {
  consumeMany(input: $input) { ... on ConsumeManyPayload { results { ${ANSWER} } } }
}`;

const denied = (reason: string, message: unknown) => ({
  allowed: false,
  denial: { reason, message, retryAt: null },
  amount: '0',
  usage: { used: '0' },
  replayed: false,
});

/** Acme is nobody's business, and nobody may register it; others are everybody's. */
const notAcme: AuthorizeReference = ({ referenceId }) => referenceId !== 'acme';
const NOT_ACME = expect.stringMatching(/^API key \w{8} may not act for "acme"; use a key that may/);

describe('before', () => {
  const modes: readonly (readonly [string, HooksConfig])[] = [
    ['a function', { before: ({ amount }) => (Number(amount) > 5 ? 'Five at a time.' : undefined) }],
    ['an async function', { before: async ({ amount }) => (Number(amount) > 5 ? 'Five at a time.' : undefined) }],
  ];

  it.each(modes)('%s refuses a call, and lets another pass', async (_, hooks) => {
    const rig = await rigWith({ hooks });
    const refused = await writingNothing(rig.database, () => rig.data(CONSUME, use({ amount: 6 })));
    expect(refused).toEqual({ consume: denied('REFUSED_BY_HOOK', 'Five at a time.') });
    expect(await rig.data(CHECK, use({ amount: 6 }))).toEqual({ check: denied('REFUSED_BY_HOOK', 'Five at a time.') });
    expect(await rig.data(CONSUME, use({ amount: 5 }))).toMatchObject({ consume: { allowed: true, amount: '5' } });
  });

  it.each(modes)('%s is asked about each of several calls', async (_, hooks) => {
    const rig = await rigWith({ hooks });
    const inputs = [6, 5, 7, 1].map((amount) => use({ amount }).input);
    expect(await rig.data(CONSUME_MANY, { input: { inputs } })).toMatchObject({
      consumeMany: {
        results: [
          { allowed: false, usage: { used: '0' } },
          { allowed: true, usage: { used: '5' } },
          { allowed: false, usage: { used: '5' } },
          { allowed: true, usage: { used: '6' } },
        ],
      },
    });
  });

  it.each<readonly [string, HooksConfig]>([
    ['inside the decision', { before: () => boom() }],
    ['before it', { before: async () => boom() }],
  ])('one that throws %s tells the caller nothing of it', async (_, hooks) => {
    const rig = await rigWith({ hooks });
    expect(await rig.data(CONSUME, use())).toEqual({
      consume: denied('REFUSED_BY_HOOK', expect.stringMatching(/^The app could not be asked.*try again/)),
    });
  });

  const boom = (): never => {
    throw new Error('password=hunter2');
  };

  it('what is wrong with a call is said before it is asked', async () => {
    const rig = await rigWith({ hooks: { before: async () => 'No.' } });
    for (const [fields, code] of [
      [{ referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND'],
      [{ featureKey: 'nothing' }, 'FEATURE_NOT_FOUND'],
      [{ amount: 0 }, 'INVALID_AMOUNT'],
    ] as const) {
      expect(await rig.data(CONSUME, use(fields))).toMatchObject({ consume: { code } });
    }
  });
});

describe('authorizeReference', () => {
  it('is told the key and the reference', async () => {
    const told: AuthorizeCall[] = [];
    const rig = await rigWith({ authorizeReference: (call) => told.push(call) > 0 });
    const { secret, keyId } = await makeKey(rig, ['ingest', 'read']);
    told.length = 0;
    await rig.as(secret).data(CONSUME, use());
    expect(told).toEqual([{ apiKey: { id: keyId, name: null, scopes: ['ingest', 'read'] }, referenceId: 'acme' }]);
  });

  it.each([
    ['consume', CONSUME],
    ['check', CHECK],
  ] as const)('refuses %s with a denial', async (name, document) => {
    const rig = await rigAfterwards(notAcme);
    const answer = await writingNothing(rig.database, () => rig.data(document, use()));
    expect(answer).toEqual({ [name]: denied('NOT_AUTHORIZED', NOT_ACME) });
    expect(await rig.data(document, use({ referenceId: 'other' }))).toMatchObject({ [name]: { allowed: true } });
  });

  it('is asked once for each reference of several calls', async () => {
    const asked: string[] = [];
    const rig = await rigAfterwards((call) => {
      asked.push(call.referenceId);
      return notAcme(call);
    });
    const inputs = ['acme', 'other', 'acme', 'other'].map((referenceId) => use({ referenceId }).input);
    expect(await rig.data(CONSUME_MANY, { input: { inputs } })).toMatchObject({
      consumeMany: {
        results: [
          { denial: { reason: 'NOT_AUTHORIZED' } },
          { allowed: true },
          { denial: { reason: 'NOT_AUTHORIZED' } },
          { allowed: true },
        ],
      },
    });
    expect(asked).toEqual(['acme', 'other']);
  });

  it.each([
    ['registerCustomer', REGISTER, { referenceId: 'acme', name: 'Other' }],
    ['setCustomerPlan', mutation('setCustomerPlan'), { referenceId: 'acme', planKey: 'free' }],
    ['setCustomerLimits', mutation('setCustomerLimits'), { referenceId: 'acme', limits: [] }],
    ['muteAlerts', mutation('muteAlerts'), { referenceId: 'acme' }],
    ['unmuteAlerts', mutation('unmuteAlerts'), { referenceId: 'acme' }],
    ['createCustomerToken', mutation('createCustomerToken'), { referenceId: 'acme' }],
  ])('forbids %s', async (_, document, input) => {
    const rig = await rigAfterwards(notAcme);
    const reply = await writingNothing(rig.database, () => rig.post(document, { input }));
    expect(reply.errors).toMatchObject([{ message: NOT_ACME, extensions: { code: 'FORBIDDEN' } }]);
  });

  it('is not asked by who reads, nor by a customer about itself', async () => {
    const rig = await rigAfterwards(notAcme, async (free) => makeToken(free));
    expect(await rig.data('{ usage(referenceId: "acme", featureKey: "api_calls") { used } }')).toEqual({
      usage: { used: '0' },
    });
    const { featureKey } = use().input;
    const asCustomer = await rig.as(rig.made).data(CHECK, { input: { featureKey, referenceId: 'acme' } });
    expect(asCustomer).toMatchObject({ check: { allowed: true } });
  });

  /** A rig whose customers were registered while every key might act for them. */
  async function rigAfterwards(
    authorizeReference: AuthorizeReference,
    make: (rig: Rig) => Promise<string> = async () => '',
  ): Promise<Rig & { readonly made: string }> {
    let isOpen = true;
    const rig = await rigWith({ authorizeReference: (call) => isOpen || authorizeReference(call) });
    const made = await make(rig);
    isOpen = false;
    return { ...rig, made };
  }
});

describe('after', () => {
  it('is told of an allowed call, and its error is nobody else’s', async () => {
    const told: AfterCall[] = [];
    const after = async (call: AfterCall) => {
      told.push(call);
      throw new Error('no');
    };
    const rig = await rigWith({ hooks: { after } });
    const input = { amount: '2.5', idempotencyKey: 'key', properties: { model: 'large' } };
    expect(await rig.data(CONSUME, use(input))).toMatchObject({ consume: { allowed: true } });
    expect(await rig.data(CONSUME, use(input))).toMatchObject({ consume: { allowed: true, replayed: true } });
    await rig.close();
    expect(told).toMatchObject([
      {
        customer: { referenceId: 'acme', planKey: 'pro' },
        feature: { key: 'api_calls', displayName: 'API Calls', unit: 'call' },
        amount: '2.5',
        usage: { used: '2.5', limit: null, remaining: null },
        properties: { model: 'large' },
        idempotencyKey: 'key',
      },
    ]);
    expect(await rig.gateway.metrics.text()).toContain('metergraph_after_hook_calls_total{outcome="failed"} 1');
  });
});

function mutation(name: string): string {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return `mutation ($input: ${type}!) { ${name}(input: $input) { __typename ... on UserError { message } } }`;
}
