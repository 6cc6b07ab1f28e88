/**
 * Goal: what a mutation sets is what is set, and is read back as what it is; what is no such thing is refused at its
 * field. Method: inputs are coerced by the real input type, and read by the real output type, with no gateway between.
 */
import { coerceInputValue, type GraphQLInputType, GraphQLObjectType, GraphQLSchema, graphqlSync } from 'graphql';
import { describe, expect, it } from 'vitest';
import { MeterError } from '../domain/errors.ts';
import type { LimitFields } from '../domain/feature.ts';
import { schema } from './index.ts';
import { type LimitFieldsInput, limitFieldsOf } from './limit-fields.ts';

const inputType = schema.getType('PlanFeatureInput') as GraphQLInputType; // it is defined so
const planFeature = schema.getType('PlanFeature') as GraphQLObjectType; // it is defined so

function fieldsFrom(sent: object): LimitFields {
  const fail = (_path: unknown, _value: unknown, error: Error) => {
    throw error;
  };
  const coerced = coerceInputValue({ featureKey: 'a', ...sent }, inputType, fail);
  return limitFieldsOf(coerced as LimitFieldsInput, ['input']); // what the input type makes
}

const SELECTION = `sets limit included minLimit enforcement thresholds { kind value falling } billing spendLimit entityLimit value
  price { model unitAmount currency packageSize percent tiers { upTo unitAmount flatAmount } minimumSpend maximumSpend }
  credits { allocation onRenewal rollover { max maxFraction expiresAfter { every unit } } reset resetInterval { every unit } priority }
  rateLimits { limit windowSeconds }`;

/** What the API answers of fields, without what is null. */
function readBack(fields: LimitFields): unknown {
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: { it: { type: planFeature, resolve: () => ({ featureKey: 'a', fields }) } },
  });
  const { data, errors } = graphqlSync({ schema: new GraphQLSchema({ query }), source: `{ it { ${SELECTION} } }` });
  expect(errors).toBeUndefined();
  return JSON.parse(JSON.stringify(data?.it), (_, value) => value ?? undefined);
}

const USD = { currency: 'usd' };

it.each<[sent: object, read: object]>([
  [{}, { sets: [] }],
  [{ limit: null, price: null, included: null, rateLimits: null, value: null }, { sets: ['LIMIT'] }],
  [{ spendLimit: null, credits: null, entityLimit: null }, { sets: ['SPEND_LIMIT', 'CREDITS', 'ENTITY_LIMIT'] }],
  [
    { limit: '5', included: 2, minLimit: 0, enforcement: 'SOFT', billing: 'PREPAID', spendLimit: 500, entityLimit: 3 },
    {
      sets: ['LIMIT', 'INCLUDED', 'ENFORCEMENT', 'MIN_LIMIT', 'BILLING', 'SPEND_LIMIT', 'ENTITY_LIMIT'],
      limit: '5',
      included: '2',
      minLimit: '0',
      enforcement: 'SOFT',
      billing: 'PREPAID',
      spendLimit: '500',
      entityLimit: '3',
    },
  ],
  [{ price: { unitAmount: '0.25' } }, { price: { model: 'PER_UNIT', unitAmount: '0.25', ...USD } }],
  [
    {
      price: { model: 'PACKAGE', unitAmount: 10, packageSize: 100, currency: 'eur', minimumSpend: 1, maximumSpend: 9 },
    },
    {
      price: {
        model: 'PACKAGE',
        unitAmount: '10',
        packageSize: '100',
        currency: 'eur',
        minimumSpend: '1',
        maximumSpend: '9',
      },
    },
  ],
  [{ price: { percent: '2.9' } }, { price: { model: 'PERCENTAGE', percent: '2.9', ...USD } }],
  [
    { price: { tiers: [{ upTo: 10, unitAmount: 2 }, { flatAmount: 5 }] } },
    {
      price: {
        model: 'GRADUATED',
        tiers: [
          { upTo: '10', unitAmount: '2', flatAmount: '0' },
          { unitAmount: '0', flatAmount: '5' },
        ],
        ...USD,
      },
    },
  ],
  [
    { price: { model: 'VOLUME', tiers: [{ upTo: null, unitAmount: 1 }] } },
    { price: { model: 'VOLUME', tiers: [{ unitAmount: '1', flatAmount: '0' }], ...USD } },
  ],
  [{ credits: { allocation: 100 } }, { credits: { allocation: '100', onRenewal: 'RESET', priority: 0 } }],
  [
    { credits: { allocation: 1, onRenewal: 'ADD', reset: 'WEEKLY', priority: 5 } },
    { credits: { allocation: '1', onRenewal: 'ADD', reset: 'WEEKLY', priority: 5 } },
  ],
  [
    { credits: { allocation: 1, onRenewal: 'ROLLOVER', resetInterval: { every: 2, unit: 'WEEK' } } },
    {
      credits: {
        allocation: '1',
        onRenewal: 'ROLLOVER',
        rollover: {},
        reset: 'INTERVAL',
        resetInterval: { every: 2, unit: 'WEEK' },
        priority: 0,
      },
    },
  ],
  [
    { credits: { allocation: 1, rollover: { maxFraction: '0.5', expiresAfter: { every: 3, unit: 'MONTH' } } } },
    {
      credits: {
        allocation: '1',
        onRenewal: 'ROLLOVER',
        rollover: { maxFraction: '0.5', expiresAfter: { every: 3, unit: 'MONTH' } },
        priority: 0,
      },
    },
  ],
  [
    { rateLimits: { limit: 5, windowSeconds: 60 } }, // one is a list of one
    { rateLimits: [{ limit: 5, windowSeconds: 60 }] },
  ],
  [{ value: 10 }, { value: 10 }],
  [{ value: 'eu' }, { value: 'eu' }],
  [{ value: false }, { value: false }],
  [
    {
      thresholds: [
        { fraction: 0.8 },
        { used: 5, falling: true },
        { remaining: 1 },
        { remainingFraction: '0.1' },
        { spend: 9 },
        { every: 10, falling: false },
      ],
    },
    {
      thresholds: [
        { kind: 'FRACTION', value: '0.8', falling: false },
        { kind: 'USED', value: '5', falling: true },
        { kind: 'REMAINING', value: '1', falling: false },
        { kind: 'REMAINING_FRACTION', value: '0.1', falling: false },
        { kind: 'SPEND', value: '9', falling: false },
        { kind: 'EVERY', value: '10', falling: false },
      ],
    },
  ],
])('%j is read back', (sent, read) => {
  expect(readBack(fieldsFrom(sent))).toMatchObject(read);
  if ('sets' in read) expect(readBack(fieldsFrom(sent))).toEqual(read);
});

describe('refused', () => {
  it.each<[sent: object, path: string, says: RegExp]>([
    [{ price: {} }, 'price.unitAmount', /^`unitAmount` is missing; a PER_UNIT price has unitAmount\.$/],
    [{ price: { packageSize: 5 } }, 'price.unitAmount', /a PACKAGE price has unitAmount and packageSize/],
    [{ price: { unitAmount: 5, percent: 1 } }, 'price.unitAmount', /is no part of a PERCENTAGE price/],
    [{ price: { model: 'VOLUME', unitAmount: 5 } }, 'price.tiers', /is missing; a VOLUME price has tiers/],
    [
      { price: { model: 'PER_UNIT', unitAmount: 5, packageSize: 5 } },
      'price.packageSize',
      /no part of a PER_UNIT price/,
    ],
    [{ price: { tiers: [{ unitAmount: 'x' }] } }, 'price.tiers.0.unitAmount', /"x" is not a decimal/],
    [{ price: { unitAmount: 1, maximumSpend: 'x' } }, 'price.maximumSpend', /"x" is not a decimal/],
    [{ thresholds: [{}] }, 'thresholds.0', /exactly one of `fraction`, `used`, .*`every`\.$/],
    [{ thresholds: [{ used: 1 }, { used: 1, spend: 1 }] }, 'thresholds.1', /exactly one of/],
    [{ thresholds: [{ falling: true }] }, 'thresholds.0', /exactly one of/],
    [{ thresholds: [{ spend: 1, falling: true }] }, 'thresholds.0.falling', /goes with `fraction` and `used` alone/],
    [{ thresholds: [{ remainingFraction: 'x' }] }, 'thresholds.0.remainingFraction', /"x" is not a decimal/],
    [{ credits: { allocation: 'x' } }, 'credits.allocation', /"x" is not a decimal/],
    [{ credits: { allocation: 1, onRenewal: 'ADD', rollover: {} } }, 'credits.rollover', /beside `onRenewal: ADD`/],
    [
      { credits: { allocation: 1, reset: 'INTERVAL' } },
      'credits.resetInterval',
      /is missing; an INTERVAL has a length/,
    ],
    [
      { credits: { allocation: 1, reset: 'DAILY', resetInterval: { every: 1, unit: 'DAY' } } },
      'credits.resetInterval',
      /beside `reset: DAILY`/,
    ],
    [
      { credits: { allocation: 1, resetInterval: { every: 0, unit: 'DAY' } } },
      'credits.resetInterval',
      /^`resetInterval` is "every 0 day"; an interval is a whole number of days, from 1 to 10000\.$/,
    ],
    [
      { credits: { allocation: 1, rollover: { expiresAfter: { every: 2_000, unit: 'YEAR' } } } },
      'credits.rollover.expiresAfter',
      /from 1 to 1000\.$/,
    ],
    [{ value: { max: 10 } }, 'value', /`value` is an object; send a number, text, or true or false\./],
    [{ value: [10] }, 'value', /`value` is a list/],
  ])('%j', (sent, path, says) => {
    let thrown: unknown;
    try {
      fieldsFrom(sent);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(MeterError);
    expect(thrown).toMatchObject({ code: 'INVALID_INPUT', path: ['input', ...path.split('.')] });
    expect((thrown as MeterError).message).toMatch(says); // it is one, by the line above
  });
});
