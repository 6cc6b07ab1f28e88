/**
 * Goal: events of a batch become one row a key, and any properties become labels that fit into it. Method: tables of
 * events and of properties; the law that nothing is lost in gathering.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUnits, ONE } from '../../domain/units.ts';
import { DIMENSION_LENGTH_MAX, dimensionsJson, type RollupEvent, rollupsOf } from './rollup.ts';

const event = (fields: Partial<RollupEvent> = {}): RollupEvent => ({
  ...{ kind: 'use', featureKey: 'calls', dimensions: [], properties: null, currency: null },
  customer: { id: 'acme', tenantId: 'tenant' },
  ...{ occurredAtMs: 60_000, reported: ONE, amount: ONE },
  payment: { credits: 0n, wallet: 0n, overage: 0n, cost: 0n },
  ...fields,
});

const spell = (events: readonly RollupEvent[]): readonly string[] =>
  rollupsOf(events).map((row) => {
    const where = [row.customerId, row.featureKey, row.minuteMs / 60_000, row.dimensions, row.currency]
      .join(' ')
      .trim();
    return `${where}: ${row.events} events, ${formatUnits(row.amount)}, at most ${formatUnits(row.largest)}`;
  });

const by = { dimensions: ['model'] };

describe('events', () => {
  it.each<[string, readonly RollupEvent[], readonly string[]]>([
    ['none', [], []],
    [
      'in one minute are one row',
      [event({ occurredAtMs: 60_000 }), event({ occurredAtMs: 119_999 })],
      ['acme calls 1 {}: 2 events, 2, at most 1'],
    ],
    [
      'in two minutes are two',
      [event(), event({ occurredAtMs: 120_000 })],
      ['acme calls 1 {}: 1 events, 1, at most 1', 'acme calls 2 {}: 1 events, 1, at most 1'],
    ],
    ['late ones are where they happened', [event({ occurredAtMs: -1 })], ['acme calls -1 {}: 1 events, 1, at most 1']],
    [
      'of two customers are two',
      [event(), event({ customer: { id: 'other', tenantId: 'tenant' } })],
      ['acme calls 1 {}: 1 events, 1, at most 1', 'other calls 1 {}: 1 events, 1, at most 1'],
    ],
    [
      'of two features are two',
      [event(), event({ featureKey: 'storage' })],
      ['acme calls 1 {}: 1 events, 1, at most 1', 'acme storage 1 {}: 1 events, 1, at most 1'],
    ],
    [
      'in two currencies are two',
      [event({ currency: 'usd' }), event({ currency: 'eur' })],
      ['acme calls 1 {} usd: 1 events, 1, at most 1', 'acme calls 1 {} eur: 1 events, 1, at most 1'],
    ],
    [
      'of two models are two',
      [event({ ...by, properties: '{"model":"a"}' }), event(by), event({ ...by, properties: '{"model":"a","x":1}' })],
      ['acme calls 1 {"model":"a"}: 2 events, 2, at most 1', 'acme calls 1 {"model":null}: 1 events, 1, at most 1'],
    ],
    [
      'that give back are taken off',
      [event({ amount: 3n * ONE, reported: 3n * ONE }), event({ kind: 'reversal', amount: -ONE, reported: -ONE })],
      ['acme calls 1 {}: 2 events, 2, at most 3'],
    ],
    [
      'that are no use are left out',
      [event({ kind: 'carry' }), event({ kind: 'reset' }), event({ kind: 'record' })],
      ['acme calls 1 {}: 1 events, 1, at most 1'],
    ],
  ])('%s', (_name, events, rows) => expect(spell(events)).toEqual(rows));

  it('lose nothing as they are gathered, and no key is there twice', () => {
    const amount = fc.bigInt({ min: -9n, max: 9n });
    const some = fc
      .record({
        minute: fc.integer({ min: 0, max: 2 }),
        id: fc.constantFrom('a', 'b'),
        properties: fc.constantFrom(null, '{"model":"a b"}', '{"model":""}'),
        currency: fc.constantFrom(null, 'usd'),
        payment: fc.record({ credits: amount, wallet: amount, overage: amount, cost: amount }),
        amount,
      })
      .map(({ minute, id, ...fields }) =>
        event({ ...fields, ...by, customer: { id, tenantId: 'tenant' }, occurredAtMs: minute * 60_000 }),
      );
    fc.assert(
      fc.property(fc.array(some, { maxLength: 40 }), (events) => {
        const rows = rollupsOf(events);
        const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
        expect(sum(rows.map((row) => BigInt(row.events)))).toBe(BigInt(events.length));
        expect(sum(rows.map((row) => row.amount))).toBe(sum(events.map((e) => e.amount)));
        for (const part of ['credits', 'wallet', 'overage', 'cost'] as const) {
          expect(sum(rows.map((row) => row[part]))).toBe(sum(events.map((e) => e.payment[part])));
        }
        const keys = rows.map((r) => JSON.stringify([r.customerId, r.minuteMs, r.dimensions, r.currency]));
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });
});

describe('dimensions', () => {
  it.each([
    [[], '{"model":"a"}', '{}'],
    [['model'], '{"model":"a"}', '{"model":"a"}'],
    [['region', 'model'], '{"model":"a","region":"eu"}', '{"model":"a","region":"eu"}'],
    [['model'], '{"other":"a"}', '{"model":null}'],
    [['model'], '{"model":null}', '{"model":null}'],
    [['model'], null, '{"model":null}'],
    [['model'], '{"model":""}', '{"model":""}'],
    [['n'], '{"n":1.5}', '{"n":"1.5"}'],
    [['b'], '{"b":true}', '{"b":"true"}'],
    [['o'], '{"o":{"a":[1]}}', '{"o":"{\\"a\\":[1]}"}'],
    [['toString'], '{}', '{"toString":null}'],
    [['__proto__'], '{"__proto__":"x"}', '{"__proto__":"x"}'],
    [['m'], '{"m":"a\\u0000b\\nc"}', '{"m":"a\uFFFDb\uFFFDc"}'],
    [['m'], '{"m":"\\ud800"}', '{"m":"\uFFFD"}'],
    [['m'], `{"m":"${'x'.repeat(65)}"}`, `{"m":"${'x'.repeat(64)}"}`],
    [['m'], `{"m":"${'x'.repeat(63)}😀"}`, `{"m":"${'x'.repeat(63)}"}`],
    [['m'], `{"m":"${'x'.repeat(62)}😀y"}`, `{"m":"${'x'.repeat(62)}😀"}`],
  ])('%j of %s are %s', (dimensions, properties, json) => {
    expect(dimensionsJson(properties, dimensions)).toBe(json);
  });

  it('fit into the key of a row, whatever was sent', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { minLength: 5, maxLength: 5 }), (values) => {
        const names = values.map((_, i) => `dimension${i}`);
        const properties = JSON.stringify(Object.fromEntries(names.map((name, i) => [name, values[i]])));
        const json = dimensionsJson(properties, names);
        for (const label of Object.values<string>(JSON.parse(json))) {
          expect(label.length).toBeLessThanOrEqual(DIMENSION_LENGTH_MAX);
          expect(label).not.toMatch(/\p{Cc}|\p{Cs}/u);
        }
        expect(Buffer.byteLength(json)).toBeLessThan(5 * (DIMENSION_LENGTH_MAX * 3 + 16) + 2);
      }),
    );
  });
});
