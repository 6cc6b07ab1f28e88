/** Goal: what no consume may say is refused by name, and nothing is written. Method: tables, on both databases. */
import { beforeAll, describe, expect, it } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { A_SENTENCE, CONSUME, leavingNoTrace, openRig, type Rig, use } from './rig.ts';

const NUL = '\u0000';
const HALF = '\ud800';

const SAVE_FEATURE =
  'mutation ($input: SaveFeatureInput!) { saveFeature(input: $input) { ... on Feature { key } ... on UserError { message } } }';

/** What the other aggregations make of a call: no entity has a part of these, and only time has a duration. */
const GAUGES = [
  { key: 'level', aggregation: 'LATEST' },
  { key: 'peak', aggregation: 'MAX' },
  { key: 'weighed', aggregation: 'WEIGHTED_SUM' },
  { key: 'users', aggregation: 'UNIQUE', of: 'user' },
  { key: 'time', aggregation: 'DURATION', unit: 'minute' },
] as const;
const of = (featureKey: (typeof GAUGES)[number]['key'], fields: Record<string, unknown>) => ({
  featureKey,
  ...fields,
});

type Refusal = {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
  readonly suggestion?: string | null;
};

describeEngines('bad values in consume', (engine) => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open() });
    for (const { key, ...fields } of GAUGES) {
      const saved = await rig.data<{ saveFeature: object }>(SAVE_FEATURE, { input: { key, ...fields } });
      expect(saved).toEqual({ saveFeature: { key } });
    }
  });

  describe('in consume', () => {
    it.each<[what: string, fields: Record<string, unknown>, code: string, path: string, says: RegExp]>([
      ['an amount of 0', { amount: '0' }, 'INVALID_AMOUNT', 'amount', /^Amount 0 uses nothing/],
      ['an amount of -0', { amount: '-0.0' }, 'INVALID_AMOUNT', 'amount', /^Amount 0 uses nothing/],
      ['an amount of NaN', { amount: 'NaN' }, 'INVALID_AMOUNT', 'amount', /NaN/],
      ['an amount of 1e400', { amount: '1e400' }, 'INVALID_AMOUNT', 'amount', /does not fit/],
      ['an infinite amount', { amount: 'Infinity' }, 'INVALID_AMOUNT', 'amount', /Infinity/],
      ['a hexadecimal amount', { amount: '0x10' }, 'INVALID_AMOUNT', 'amount', /0x10/],
      ['an empty amount', { amount: '' }, 'INVALID_AMOUNT', 'amount', /decimal/],
      ['an amount with a comma', { amount: '1,5' }, 'INVALID_AMOUNT', 'amount', /1,5/],
      ['an amount with a space', { amount: ' 1' }, 'INVALID_AMOUNT', 'amount', /decimal/],
      [
        '10 fractional digits',
        { amount: '0.0000000001' },
        'INVALID_AMOUNT',
        'amount',
        /10 fractional digits; at most 9/,
      ],
      ['39 digits', { amount: '9'.repeat(39) }, 'INVALID_AMOUNT', 'amount', /29 digits/],
      ['30 digits before the point', { amount: '1'.padEnd(30, '0') }, 'INVALID_AMOUNT', 'amount', /29 digits/],
      ['a number that has lost digits', { amount: 0.1234567890123456 }, 'INVALID_AMOUNT', 'amount', /string/],
      ['a text of 100,000 digits', { amount: '1'.repeat(100_000) }, 'INVALID_AMOUNT', 'amount', /decimal/],
      [
        'a negative amount of what cannot be given back',
        { amount: '-1' },
        'INVALID_AMOUNT',
        'amount',
        /minLimit|given back/,
      ],
      [
        'an unknown customer',
        { referenceId: 'acmee' },
        'CUSTOMER_NOT_FOUND',
        'referenceId',
        /"acmee".*registerCustomer/,
      ],
      [
        'an unknown feature',
        { featureKey: 'api_call' },
        'FEATURE_NOT_FOUND',
        'featureKey',
        /"api_call".*did you mean "api_calls"/,
      ],
      ['a feature like nothing', { featureKey: 'zzzzzzzz' }, 'FEATURE_NOT_FOUND', 'featureKey', /saveFeature/],
      ['an unknown plan', { overrideKey: 'prro' }, 'PLAN_NOT_FOUND', 'overrideKey', /"prro".*did you mean "pro"/],
      ['a plan like nothing', { overrideKey: 'zzzzzzzz' }, 'PLAN_NOT_FOUND', 'overrideKey', /savePlan/],
      ['a feature by the name of a method', { featureKey: 'toString' }, 'FEATURE_NOT_FOUND', 'featureKey', /toString/],
      [
        'a feature by the name of a prototype',
        { featureKey: '__proto__' },
        'INVALID_INPUT',
        'featureKey',
        /"__proto__".*starts with a letter/,
      ],
      [
        'a plan by the name of a prototype',
        { overrideKey: 'constructor' },
        'PLAN_NOT_FOUND',
        'overrideKey',
        /constructor/,
      ],
      ['an empty reference', { referenceId: '' }, 'INVALID_INPUT', 'referenceId', /empty/],
      ['a reference of 256 characters', { referenceId: 'x'.repeat(256) }, 'INVALID_INPUT', 'referenceId', /256.*255/],
      ['a reference with NUL', { referenceId: `a${NUL}` }, 'INVALID_INPUT', 'referenceId', /control character/],
      [
        'a reference with a line break',
        { referenceId: 'a\r\nX-Evil: 1' },
        'INVALID_INPUT',
        'referenceId',
        /control character/,
      ],
      ['half a surrogate pair in a reference', { referenceId: HALF }, 'INVALID_INPUT', 'referenceId', /character/],
      ['NUL in a feature key', { featureKey: NUL }, 'INVALID_INPUT', 'featureKey', /letters/],
      ['an empty feature key', { featureKey: '' }, 'INVALID_INPUT', 'featureKey', /letters/],
      ['a feature key of 65 characters', { featureKey: 'x'.repeat(65) }, 'INVALID_INPUT', 'featureKey', /64/],
      ['NUL in an idempotency key', { idempotencyKey: NUL }, 'INVALID_INPUT', 'idempotencyKey', /control character/],
      [
        'an idempotency key of 256 characters',
        { idempotencyKey: 'x'.repeat(256) },
        'INVALID_INPUT',
        'idempotencyKey',
        /255/,
      ],
      ['an empty idempotency key', { idempotencyKey: '' }, 'INVALID_INPUT', 'idempotencyKey', /empty/],
      ['properties that are a list', { properties: [1] }, 'INVALID_INPUT', 'properties', /object/],
      ['properties that are a text', { properties: 'x' }, 'INVALID_INPUT', 'properties', /object/],
      ['NUL in a property', { properties: { a: NUL } }, 'INVALID_INPUT', 'properties', /NUL/],
      ['NUL in the name of a property', { properties: { [NUL]: 1 } }, 'INVALID_INPUT', 'properties', /NUL/],
      [
        'half a surrogate pair in a property',
        { properties: { a: { b: [HALF] } } },
        'INVALID_INPUT',
        'properties',
        /surrogate/,
      ],
      [
        'properties of more than 16 KiB',
        { properties: { a: 'x'.repeat(16_400) } },
        'INVALID_INPUT',
        'properties',
        /16384/,
      ],
      [
        'an entity of a level',
        of('level', { entityId: 'ann' }),
        'INVALID_INPUT',
        'entityId',
        /"ann".*latest level.*add up/,
      ],
      [
        'an entity of a maximum',
        of('peak', { entityId: 'ann' }),
        'INVALID_INPUT',
        'entityId',
        /largest amount.*leave entityId out/,
      ],
      [
        'an entity of a quantity held',
        of('weighed', { entityId: 'ann' }),
        'INVALID_INPUT',
        'entityId',
        /how long they are held/,
      ],
      [
        'an entity of distinct values',
        of('users', { entityId: 'ann', properties: { user: 'u' } }),
        'INVALID_INPUT',
        'entityId',
        /"users" counts distinct values.*leave entityId out/,
      ],
      [
        'a duration of nonsense',
        of('time', { duration: '5 minutes' }),
        'INVALID_INPUT',
        'duration',
        /"5 minutes".*PT1M30S/,
      ],
      ['a duration of months', of('time', { duration: 'P1M' }), 'INVALID_INPUT', 'duration', /no fixed length.*PT1M/],
      [
        'a duration of no time',
        of('time', { duration: 'PT0S' }),
        'INVALID_INPUT',
        'duration',
        /"PT0S" comes to 0 minutes/,
      ],
      [
        'a duration rounded to no time',
        of('time', { duration: 'PT0.00000001S' }),
        'INVALID_INPUT',
        'duration',
        /0 minutes/,
      ],
      [
        'a negative duration',
        of('time', { duration: '-PT1M30S' }),
        'INVALID_INPUT',
        'duration',
        /"-PT1M30S" comes to -1.5 minutes.*minLimit/,
      ],
      [
        'a duration that does not fit',
        of('time', { duration: `P${'9'.repeat(30)}D` }),
        'INVALID_INPUT',
        'duration',
        /does not fit/,
      ],
      [
        'a duration of 129 characters',
        of('time', { duration: `PT${'9'.repeat(126)}S` }),
        'INVALID_INPUT',
        'duration',
        /ISO 8601/,
      ],
      [
        'an amount beside a duration',
        of('time', { duration: 'PT1M', amount: 1 }),
        'INVALID_INPUT',
        'duration',
        /one of them/,
      ],
      [
        'a duration for what adds up no time',
        { duration: 'PT1M' },
        'INVALID_INPUT',
        'duration',
        /does not add up time/,
      ],
      ['properties 40 levels deep', { properties: nested(40) }, 'INVALID_INPUT', 'properties', /32 levels/],
    ])('%s', async (_, fields, code, field, says) => {
      const reply = await leavingNoTrace(rig, () => rig.post<{ consume: Refusal }>(CONSUME, use(fields)));
      expect(reply.errors).toBeUndefined();
      expect(reply.data?.consume).toMatchObject({ code, path: ['input', field], message: expect.stringMatching(says) });
      expect(reply.data?.consume.message).toMatch(A_SENTENCE);
    });

    it('numbers that JSON cannot hold are refused, too', async () => {
      const body = JSON.stringify({ query: CONSUME, variables: use({ amount: 'HERE', properties: { n: 'THERE' } }) });
      const amount = await leavingNoTrace(rig, () => rig.raw(body.replace('"HERE"', '1e400')));
      expect(amount.data?.consume).toMatchObject({ code: 'INVALID_AMOUNT', path: ['input', 'amount'] });
      const property = await leavingNoTrace(rig, () => rig.raw(body.replace('HERE', '1').replace('"THERE"', '1e400')));
      expect(property.data?.consume).toMatchObject({ code: 'INVALID_INPUT', path: ['input', 'properties'] });
    });

    it('suggests the key that was meant', async () => {
      const { consume: feature } = await rig.data<{ consume: Refusal }>(CONSUME, use({ featureKey: 'api_cals' }));
      const { consume: plan } = await rig.data<{ consume: Refusal }>(CONSUME, use({ overrideKey: 'fre' }));
      expect([feature.suggestion, plan.suggestion]).toEqual(['api_calls', 'free']);
    });

    it('properties by the names of prototypes are data like any other', async () => {
      const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1}';
      const body = JSON.stringify({ query: CONSUME, variables: use({ referenceId: 'other', properties: 'HERE' }) });
      const reply = await rig.raw(body.replace('"HERE"', text));
      expect(reply.data?.consume).toMatchObject({ allowed: true });
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      const { text: events } = await rig.post('{ events(first: 1, referenceId: "other") { nodes { properties } } }');
      expect(events).toContain('"__proto__":{"polluted":true}');
    });
  });

  it('consumeMany of 1,001 is refused as a whole; one bad input among good ones is refused alone', async () => {
    const document = `mutation ($inputs: [ConsumeInput!]!) { consumeMany(input: { inputs: $inputs }) {
      ... on ConsumeManyPayload { results { ... on Consumption { allowed } ... on UserError { code path } } }
      ... on UserError { code message path }
    } }`;
    const inputs = Array.from({ length: 1_001 }, () => use().input);
    const { consumeMany } = await leavingNoTrace(rig, () => rig.data(document, { inputs }));
    expect(consumeMany).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', 'inputs'],
      message: expect.stringMatching(/1001.*1000/),
    });
    const mixed = [use().input, use({ amount: '0' }).input, use({ featureKey: 'nope' }).input, use().input];
    expect(await rig.data(document, { inputs: mixed })).toEqual({
      consumeMany: {
        results: [
          { allowed: true },
          { code: 'INVALID_AMOUNT', path: ['input', 'inputs', '1', 'amount'] },
          { code: 'FEATURE_NOT_FOUND', path: ['input', 'inputs', '2', 'featureKey'] },
          { allowed: true },
        ],
      },
    });
  });

  it('a feature may have the name of a method', async () => {
    for (const key of ['constructor', 'toString', 'hasOwnProperty']) {
      await rig.data(
        'mutation ($key: String!) { saveFeature(input: { key: $key, limit: 5 }) { ... on Feature { key } } }',
        { key },
      );
      const limits = [{ featureKey: key, limit: '2' }];
      await rig.data(
        'mutation ($limits: [CustomerLimitInput!]!) { setCustomerLimits(input: { referenceId: "acme", limits: $limits }) { __typename } }',
        { limits },
      );
      expect(await rig.data(CONSUME, use({ featureKey: key, amount: '2' }))).toMatchObject({
        consume: { allowed: true },
      });
      expect(await rig.data(CONSUME, use({ featureKey: key }))).toMatchObject({
        consume: { denial: { reason: 'LIMIT_REACHED' } },
      });
    }
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}
