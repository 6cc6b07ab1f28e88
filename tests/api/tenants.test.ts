/**
 * Goal: what is another's does not exist. Method: ask for something of somebody else's, and for something that nobody
 * has; but for the name that was asked for, the answers are the same, byte for byte.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY } from '../support/gateway.ts';
import { addTenant, CONSUME, leavingNoTrace, makeKey, makeToken, openRig, REGISTER, type Rig, use } from './rig.ts';

/** Something of another, and something of nobody that looks alike. */
type Pair = { readonly theirs: string; readonly nobodys: string };
type Ids = {
  readonly customer: Pair;
  readonly alert: Pair;
  readonly event: Pair;
  readonly apiKey: Pair;
  readonly feature: Pair;
  readonly plan: Pair;
};

let rig: Rig;
let stranger: string;
let keyId: string;
let ids: Ids;

const idOf = (...parts: readonly string[]): string => Buffer.from(parts.join(' ')).toString('base64url');
const NOBODY = '00000000-0000-5000-8000-000000000000';

beforeAll(async () => {
  rig = await openRig();
  stranger = (await addTenant(rig)).key;
  ({ keyId } = await makeKey(rig, ['read']));
  await rig.data('mutation { saveFeature(input: { key: "treasures" }) { __typename } }');
  await rig.data(
    'mutation { savePlan(input: { key: "golden", features: [{ featureKey: "exports", limit: 1 }] }) { __typename } }',
  );
  await rig.data(REGISTER, {
    input: { referenceId: 'rich', name: 'Rich', metadata: { iban: 'X' }, planKey: 'golden' },
  });
  await rig.data(CONSUME, use({ referenceId: 'rich', featureKey: 'exports', idempotencyKey: 'once' }));
  ids = await readIds();
});

async function readIds(): Promise<Ids> {
  const found = await rig.data<Record<string, { id?: string; nodes?: { id: string }[] }>>(`{
    customer(referenceId: "rich") { id } alerts(first: 1) { nodes { id } } events(first: 1) { nodes { id } }
    feature(key: "treasures") { id } plan(key: "golden") { id }
  }`);
  const id = (name: string): string => found[name]?.id ?? found[name]?.nodes?.[0]?.id ?? '';
  const pairs = {
    customer: { theirs: id('customer'), nobodys: idOf('Customer', NOBODY) },
    alert: { theirs: id('alerts'), nobodys: idOf('Alert', NOBODY, '1') },
    event: { theirs: id('events'), nobodys: idOf('Event', NOBODY, '1') },
    apiKey: { theirs: idOf('ApiKey', keyId), nobodys: idOf('ApiKey', 'Nobody00') },
    feature: { theirs: id('feature'), nobodys: idOf('Feature', NOBODY, 'treasures') },
    plan: { theirs: id('plan'), nobodys: idOf('Plan', NOBODY, 'golden') },
  };
  for (const { theirs } of Object.values(pairs))
    expect(await rig.data(`{ node(id: "${theirs}") { id } }`)).toEqual({ node: { id: theirs } });
  return pairs;
}

/** The same call about what is theirs and about what is nobody's, as this credential. */
async function expectAlike(
  credential: string,
  call: (name: string) => string,
  { theirs, nobodys }: Pair,
): Promise<void> {
  const client = rig.as(credential);
  await leavingNoTrace(rig, async () => {
    const post = (query: string) =>
      client.post(query, {}, query.startsWith('subscription') ? { headers: { accept: 'text/event-stream' } } : {});
    const about = await post(call(theirs));
    const control = await post(call(nobodys));
    expect(about.text).toBe(control.text.replaceAll(nobodys, theirs));
    expect(about.status).toBe(control.status);
    expect([...about.headers.keys()]).toEqual([...control.headers.keys()]);
  });
}

const UNION = '{ __typename ... on UserError { code message path } }';
const REFERENCE: Pair = { theirs: 'rich', nobodys: 'poor' };
const FEATURE: Pair = { theirs: 'treasures', nobodys: 'nothingxs' };
const PLAN: Pair = { theirs: 'golden', nobodys: 'nought' };

describe('of another tenant', () => {
  it.each<[what: string, call: (name: string) => string, pair: Pair]>([
    ['a customer', (name) => `{ customer(referenceId: "${name}") { id name metadata } }`, REFERENCE],
    ['its usage', (name) => `{ usage(referenceId: "${name}", featureKey: "exports") { used } }`, REFERENCE],
    ['its limits', (name) => `{ limits(referenceId: "${name}") { limit } }`, REFERENCE],
    [
      'its events',
      (name) => `{ events(first: 10, referenceId: "${name}") { nodes { id } pageInfo { hasNextPage } } }`,
      REFERENCE,
    ],
    [
      'its alerts',
      (name) => `{ alerts(first: 10, referenceId: "${name}") { nodes { id } pageInfo { hasNextPage } } }`,
      REFERENCE,
    ],
    ['a check', (name) => `{ check(input: { referenceId: "${name}", featureKey: "exports" }) ${UNION} }`, REFERENCE],
    [
      'a use',
      (name) => `mutation { consume(input: { referenceId: "${name}", featureKey: "exports" }) ${UNION} }`,
      REFERENCE,
    ],
    [
      'a repeated use',
      (name) =>
        `mutation { consume(input: { referenceId: "${name}", featureKey: "exports", idempotencyKey: "once" }) ${UNION} }`,
      REFERENCE,
    ],
    [
      'many uses',
      (name) =>
        `mutation { consumeMany(input: { inputs: [{ referenceId: "${name}", featureKey: "exports" }] }) { ... on ConsumeManyPayload { results ${UNION} } } }`,
      REFERENCE,
    ],
    [
      'a plan change',
      (name) => `mutation { setCustomerPlan(input: { referenceId: "${name}", planKey: "pro" }) ${UNION} }`,
      REFERENCE,
    ],
    [
      'limits of its own',
      (name) => `mutation { setCustomerLimits(input: { referenceId: "${name}", limits: [] }) ${UNION} }`,
      REFERENCE,
    ],
    [
      'silence',
      (name) => `mutation { muteAlerts(input: { referenceId: "${name}", until: "2099-01-01T00:00:00Z" }) ${UNION} }`,
      REFERENCE,
    ],
    ['an end of silence', (name) => `mutation { unmuteAlerts(input: { referenceId: "${name}" }) ${UNION} }`, REFERENCE],
    ['a token', (name) => `mutation { createCustomerToken(input: { referenceId: "${name}" }) ${UNION} }`, REFERENCE],
    [
      'a stream of its usage',
      (name) => `subscription { usageChanged(referenceId: "${name}") { __typename } }`,
      REFERENCE,
    ],
    [
      'a stream of its alerts',
      (name) => `subscription { alertRaised(referenceId: "${name}") { __typename } }`,
      REFERENCE,
    ],
    ['a feature', (name) => `{ feature(key: "${name}") { id } }`, FEATURE],
    [
      'use of a feature',
      (name) => `mutation { consume(input: { referenceId: "x", featureKey: "${name}" }) ${UNION} }`,
      FEATURE,
    ],
    ['events of a feature', (name) => `{ events(first: 1, featureKey: "${name}") { nodes { id } } }`, FEATURE],
    ['alerts of a feature', (name) => `{ alerts(first: 1, featureKey: "${name}") { nodes { id } } }`, FEATURE],
    [
      'a feature in a plan',
      (name) => `mutation { savePlan(input: { key: "mine", features: [{ featureKey: "${name}" }] }) ${UNION} }`,
      FEATURE,
    ],
    ['a plan', (name) => `{ plan(key: "${name}") { id } }`, PLAN],
    [
      'a plan for a customer',
      (name) => `mutation { registerCustomer(input: { referenceId: "x", planKey: "${name}" }) ${UNION} }`,
      PLAN,
    ],
  ])('%s', (_, call, pair) => expectAlike(stranger, call, pair));

  it.each(['customer', 'alert', 'event', 'apiKey', 'feature', 'plan'] as const)('the node of %s', async (what) => {
    await expectAlike(stranger, (id) => `{ node(id: "${id}") { __typename id } }`, ids[what]);
    await expectAlike(stranger, (id) => `{ nodes(ids: ["${id}", "x"]) { __typename id } }`, ids[what]);
  });

  it('an alert to acknowledge', () =>
    expectAlike(stranger, (id) => `mutation { acknowledgeAlert(input: { id: "${id}" }) ${UNION} }`, ids.alert));

  it('a key to revoke', async () => {
    const pair = { theirs: keyId, nobodys: 'Nobody00' };
    await expectAlike(stranger, (id) => `mutation { revokeApiKey(input: { keyId: "${id}" }) ${UNION} }`, pair);
  });

  it('lists hold nothing of it', async () => {
    const everything = `{ customers(first: 100) { nodes { referenceId } } features(first: 100) { nodes { key } }
      plans(first: 100) { nodes { key } } events(first: 100) { nodes { id } } alerts(first: 100) { nodes { id } } }`;
    const { text } = await rig.as(stranger).post(everything);
    for (const word of ['rich', 'acme', 'treasures', 'golden', ids.event.theirs, ids.alert.theirs])
      expect(text).not.toContain(word);
  });

  it.each(['customers', 'features', 'plans', 'events', 'alerts'])('a cursor into its %s is refused', async (list) => {
    const { [list]: page } = await rig.data<Record<string, { pageInfo: { endCursor: string } }>>(
      `{ ${list}(first: 1) { pageInfo { endCursor } } }`,
    );
    const cursor = page?.pageInfo.endCursor ?? '';
    const { errors } = await rig.as(stranger).post(`{ ${list}(first: 1, after: "${cursor}") { nodes { id } } }`);
    expect(errors?.[0]?.extensions?.code).toBe('INVALID_CURSOR');
    await rig.data(`{ ${list}(first: 1, after: "${cursor}") { nodes { id } } }`);
  });

  it('a cursor into its streams is refused', async () => {
    await rig.as(stranger).data(REGISTER, { input: { referenceId: 'mine' } });
    const { usage, alerts } = await rig.data<{ usage: { cursor: string }; alerts: { nodes: { cursor: string }[] } }>(
      '{ usage(referenceId: "rich", featureKey: "exports") { cursor } alerts(first: 1) { nodes { cursor } } }',
    );
    const socket = await rig.openWs(stranger);
    const stream = async (id: string, query: string) => {
      socket.subscribe(id, `subscription { ${query} { __typename } }`);
      return JSON.stringify(await socket.waitForMessage((message) => message.id === id));
    };
    expect(await stream('1', `usageChanged(referenceId: "mine", after: "${usage.cursor}")`)).toContain(
      'INVALID_CURSOR',
    );
    expect(await stream('2', `alertRaised(after: "${alerts.nodes[0]?.cursor}")`)).toContain('INVALID_CURSOR');
    expect(await stream('3', `alertRaised(referenceId: "mine", after: "${usage.cursor}")`)).toContain('INVALID_CURSOR');
  });

  it('nothing is heard of it, however much happens', async () => {
    const socket = await rig.openWs(stranger);
    socket.subscribe('live', 'subscription { liveUsage { usages { referenceId } } }');
    socket.subscribe('alerts', 'subscription { alertRaised { __typename } }');
    await expect.poll(() => rig.gateway.services.streams.openStreams).toBeGreaterThanOrEqual(2);
    await rig.data(CONSUME, use({ referenceId: 'other', featureKey: 'exports', amount: '9' }));
    await rig.as(stranger).data(REGISTER, { input: { referenceId: 'mine' } });
    await rig.as(stranger).data(CONSUME, use({ referenceId: 'mine', featureKey: 'exports' }));
    expect(await socket.waitForNext('live')).toEqual({ data: { liveUsage: { usages: [{ referenceId: 'mine' }] } } });
    expect(socket.pending().filter(({ type }) => type === 'next')).toEqual([]);
  });

  it('the same reference is another customer', async () => {
    await rig.as(stranger).data(REGISTER, { input: { referenceId: 'rich', planKey: 'pro' } });
    await rig
      .as(stranger)
      .data(CONSUME, use({ referenceId: 'rich', featureKey: 'exports', idempotencyKey: 'once', amount: '3' }));
    const question = '{ usage(referenceId: "rich", featureKey: "exports") { used } }';
    expect(await rig.data(question)).toEqual({ usage: { used: '1' } });
  });
});

describe('to a customer token, of another customer', () => {
  let token: string;

  beforeAll(async () => {
    token = await makeToken(rig, { featureKeys: ['api_calls'] });
  });

  it.each<[what: string, call: (name: string) => string, pair: Pair]>([
    ['the customer', (name) => `{ customer(referenceId: "${name}") { id name } }`, REFERENCE],
    ['its usage', (name) => `{ usage(referenceId: "${name}", featureKey: "api_calls") { used } }`, REFERENCE],
    ['its limits', (name) => `{ limits(referenceId: "${name}") { limit } }`, REFERENCE],
    ['its events', (name) => `{ events(first: 10, referenceId: "${name}") { nodes { id } } }`, REFERENCE],
    ['its alerts', (name) => `{ alerts(first: 10, referenceId: "${name}") { nodes { id } } }`, REFERENCE],
    ['a check', (name) => `{ check(input: { referenceId: "${name}", featureKey: "api_calls" }) ${UNION} }`, REFERENCE],
    [
      'a stream of its usage',
      (name) => `subscription { usageChanged(referenceId: "${name}") { __typename } }`,
      REFERENCE,
    ],
    [
      'a stream of its alerts',
      (name) => `subscription { alertRaised(referenceId: "${name}") { __typename } }`,
      REFERENCE,
    ],
    ['a feature it may not see', (name) => `{ usage(featureKey: "${name}") { used } }`, FEATURE],
    [
      'a feature in a stream',
      (name) => `subscription { usageChanged(featureKeys: ["${name}"]) { __typename } }`,
      FEATURE,
    ],
    ['a feature by its key', (name) => `{ feature(key: "${name}") { id } }`, FEATURE],
    [
      'a check of a feature',
      (name) => `{ check(input: { referenceId: "acme", featureKey: "${name}" }) ${UNION} }`,
      FEATURE,
    ],
    ['events of a feature', (name) => `{ events(first: 1, featureKey: "${name}") { nodes { id } } }`, FEATURE],
    ['a plan', (name) => `{ plan(key: "${name}") { id } }`, PLAN],
    [
      'a check by a plan',
      (name) => `{ check(input: { referenceId: "acme", featureKey: "api_calls", overrideKey: "${name}" }) ${UNION} }`,
      PLAN,
    ],
  ])('%s', (_, call, pair) => expectAlike(token, call, pair));

  it.each(['customer', 'alert', 'event', 'apiKey', 'feature', 'plan'] as const)('the node of %s', (what) =>
    expectAlike(token, (id) => `{ node(id: "${id}") { __typename id } }`, ids[what]),
  );

  it('its own is there, as far as the features of the token go', async () => {
    await rig.data(CONSUME, use({ featureKey: 'exports', properties: { secret: 1 } }));
    await rig.data(CONSUME, use({ properties: { secret: 1 } }));
    const everything = `{ customer { referenceId metadata usages { feature { key } } limits { feature { key } } plan { features { featureKey } } }
      limits { feature { key } } events(first: 100) { nodes { featureKey properties } } usage(featureKey: "api_calls") { used } }`;
    const { text } = await rig.as(token).post(everything);
    expect(text).toContain('"referenceId":"acme"');
    expect(text).toContain('api_calls');
    for (const word of ['exports', 'storage', 'secret', 'errors']) expect(text).not.toContain(word);
  });

  it('its own of a feature it may not see is not heard', async () => {
    const socket = await rig.openWs(token);
    socket.subscribe(
      '1',
      'subscription { usageChanged { __typename ... on UsageSnapshot { usages { feature { key } } } ... on UsageDelta { usage { feature { key } } } } }',
    );
    expect(await socket.waitForNext('1')).toEqual({
      data: { usageChanged: { __typename: 'UsageSnapshot', usages: [{ feature: { key: 'api_calls' } }] } },
    });
    await rig.data(CONSUME, use({ featureKey: 'exports' }));
    await rig.data(CONSUME, use());
    expect(await socket.waitForNext('1')).toEqual({
      data: { usageChanged: { __typename: 'UsageDelta', usage: { feature: { key: 'api_calls' } } } },
    });
  });

  it('the key of the tenant sees all of it', async () => {
    expect((await rig.as(ADMIN_KEY).post('{ customer(referenceId: "rich") { name } }')).text).toContain('Rich');
  });
});
