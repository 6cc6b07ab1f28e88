/**
 * Goal: which thresholds a change has crossed, by which mark each is remembered, and who is told.
 * Method: a table of lines and totals per kind, as people read them; then laws over walks up and down.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crossings, type Measures, parseMark, raisedAfter } from './alert.ts';
import type { LimitPolicy } from './policy.ts';
import { FALLING_KINDS, parseThresholdKey, THRESHOLD_KINDS, type Threshold, thresholdKey } from './threshold.ts';
import { unitsOf } from './units.ts';

type Policy = Pick<LimitPolicy, 'thresholds' | 'limit' | 'included' | 'credits'>;
/** Totals as written in tables: `5` used, or `5 for 200`: 5 used that cost 200 minor units. */
type Totals = string;

const of100 = (...keys: string[]): Policy => ({
  thresholds: keys.map(parseThresholdKey),
  limit: unitsOf('100'),
  included: unitsOf('100'),
  credits: null,
});

function measuresOf(totals: Totals): Measures {
  const [used = '', cost = '0'] = totals.split(' for ');
  return { used: unitsOf(used), cost: unitsOf(cost) };
}

function marks(policy: Policy, from: Totals, to: Totals, raised: readonly string[] = []): string {
  const crossed = crossings(policy, measuresOf(from), measuresOf(to), new Set(raised));
  for (const { threshold, mark } of crossed) expect(parseMark(mark)).toEqual(threshold);
  return crossed.map(({ mark }) => mark).join(' ');
}

describe('one line', () => {
  // biome-ignore format: a table
  it.each([
    // line                        from         to               raises
    ['used:10',                    '0',         '9.999999999',   ''],
    ['used:10',                    '0',         '10',            'used:10'], // at, not only above
    ['used:10',                    '0',         '11',            'used:10'],
    ['used:10',                    '10',        '11',            'used:10'], // was configured when it held already
    ['used:10',                    '11',        '11',            ''], // what changes nothing crosses nothing
    ['used:10',                    '12',        '11',            ''], // nor what gives back
    ['used:10',                    '0',         '-20',           ''],

    ['fraction:0.8',               '0',         '79.999999999',  ''],
    ['fraction:0.8',               '0',         '80',            'fraction:0.8@100'],
    ['fraction:0.8',               '90',        '91',            'fraction:0.8@100'],
    ['fraction:0.8',               '90',        '85',            ''],
    ['fraction:1.2',               '100',       '120',           'fraction:1.2@100'], // beyond a soft limit

    ['remaining:10',               '0',         '89.999999999',  ''],
    ['remaining:10',               '0',         '90',            'remaining:10@100'],
    ['remaining:0',                '0',         '100',           'remaining:0@100'],
    ['remaining:0',                '100',       '120',           'remaining:0@100'],
    ['remaining:10',               '95',        '92',            ''],

    ['remaining_fraction:0.25',    '0',         '74.999999999',  ''],
    ['remaining_fraction:0.25',    '0',         '75',            'remaining_fraction:0.25@100'],
    ['remaining_fraction:0',       '99',        '100',           'remaining_fraction:0@100'],
    ['remaining_fraction:0.25',    '90',        '80',            ''],

    ['spend:500',                  '100',       '104 for 499.9', ''],
    ['spend:500',                  '100',       '105 for 500',   'spend:500'],
    ['spend:500',                  '9 for 450', '9 for 500',     'spend:500'], // dearer, though nothing more is used
    ['spend:500',                  '9 for 600', '10 for 600',    'spend:500'],
    ['spend:500',                  '9 for 600', '8 for 550',     ''],

    ['used:5:falling',             '9',         '5.000000001',   ''],
    ['used:5:falling',             '9',         '5',             'used:5:falling'],
    ['used:5:falling',             '9',         '0',             'used:5:falling'],
    ['used:5:falling',             '5',         '4',             ''], // was not above
    ['used:5:falling',             '0',         '9',             ''],
    ['fraction:0.5:falling',       '60',        '50.000000001',  ''],
    ['fraction:0.5:falling',       '60',        '50',            'fraction:0.5:falling@100'],
    ['fraction:0.5:falling',       '40',        '30',            ''],
    ['fraction:0.5:falling',       '40',        '50',            ''],

    ['every:10',                   '0',         '9.999999999',   ''],
    ['every:10',                   '0',         '10',            'every:10#10'],
    ['every:10',                   '10',        '19',            ''],
    ['every:10',                   '19',        '20',            'every:10#20'],
    ['every:10',                   '5',         '35',            'every:10#10 every:10#20 every:10#30'],
    ['every:0.5',                  '0.9',       '1.6',           'every:0.5#1 every:0.5#1.5'],
    ['every:10',                   '35',        '15',            ''],
    ['every:10',                   '-25',       '12',            'every:10#10'], // steps are above 0
    ['every:10',                   '-25',       '-5',            ''],
    ['every:0',                    '0',         '5',             ''], // has no multiples
  ])('%s, from %s to %s: %s', (line, from, to, raises) => expect(marks(of100(line), from, to)).toBe(raises));
});

describe('a part is of', () => {
  it.each([
    // limit included credits  used     raises
    ['10', '2', '5', '2', ''], // the limit, where there is one
    ['10', '2', '5', '8', 'fraction:0.8@10 remaining_fraction:0.2@10'],
    [null, '10', null, '8', 'fraction:0.8@10 remaining_fraction:0.2@10'], // what is included, where there is none
    [null, '10', '40', '39', ''], // and what the plan prepays
    [null, '10', '40', '40', 'fraction:0.8@50 remaining_fraction:0.2@50'],
    [null, null, '40', '32', 'fraction:0.8@40 remaining_fraction:0.2@40'],
    [null, '0', null, '1e9', ''], // nothing, where there is neither
    [null, null, null, '1e9', ''],
    ['0', '5', null, '1', 'fraction:0.8@0 remaining_fraction:0.2@0'], // any use at all is at every part of nothing
  ])('limit %s, included %s, credits %s, used %s: %s', (limit, included, credits, used, raises) => {
    const allocated = unitsOrNull(credits);
    const policy: Policy = {
      ...of100('fraction:0.8', 'remaining_fraction:0.2'),
      limit: unitsOrNull(limit),
      included: unitsOrNull(included),
      credits: allocated === null ? null : { allocation: allocated, onRenewal: 'reset', reset: null, priority: 0 },
    };
    expect(marks(policy, '0', used)).toBe(raises);
  });

  it('a part that is no round number of units is met exactly', () => {
    const third = { ...of100('fraction:0.333333333'), limit: unitsOf('10') };
    expect(marks(third, '0', '3.333333329')).toBe('');
    expect(marks(third, '0', '3.33333333')).toBe('fraction:0.333333333@10');
  });

  it('an unlimited meter never has little left', () => {
    expect(marks({ ...of100('remaining:10'), limit: null }, '0', '1e20')).toBe('');
  });
});

describe('what was raised before', () => {
  const default100 = of100('fraction:0.8', 'fraction:1');

  it.each([
    [[], 'fraction:0.8@100 fraction:1@100'], // a jump over several raises each
    [['fraction:0.8@100'], 'fraction:1@100'],
    [['fraction:0.8@100', 'fraction:1@100'], ''],
    [['fraction:0.8@50', 'fraction:1@50'], 'fraction:0.8@100 fraction:1@100'], // another limit arms them again
    [['fraction:0.8', 'fraction:1@50'], 'fraction:1@100'], // an older mark, without its whole, stands for any
  ])('%j: %s', (raised, raises) => expect(marks(default100, '79', '100', raised)).toBe(raises));

  it('a limit lowered under what is used raises with the next use', () => {
    const lowered = { ...of100('fraction:0.8', 'remaining:10', 'remaining_fraction:0.1'), limit: unitsOf('40') };
    const raised = ['fraction:0.8@100'];
    expect(marks(lowered, '85', '86', raised)).toBe('fraction:0.8@40 remaining:10@40 remaining_fraction:0.1@40');
  });

  it('what does not hang on the limit stays raised whatever the limit', () => {
    const policy = { ...of100('used:10', 'spend:5', 'every:10'), limit: unitsOf('40') };
    expect(marks(policy, '19 for 5', '20 for 9', ['used:10', 'spend:5', 'every:10#20'])).toBe('');
  });

  it.each([
    ['35', '41', ['every:10#30'], 'every:10#40'],
    ['5', '41', ['every:10#30'], 'every:10#40'], // given back after it was at 30, and used again
    ['5', '41', ['every:10#10', 'every:10#20', 'every:10#30'], 'every:10#40'],
    ['5', '25', ['every:10#30'], ''],
    ['5', '25', ['every:1#30', 'used:10'], 'every:10#10 every:10#20'], // another threshold's steps are not its own
  ])('from %s to %s after %j: %s', (from, to, raised, raises) =>
    expect(marks(of100('every:10'), from, to, raised)).toBe(raises),
  );

  it('steps that lay behind when the threshold was set up are not made up for', () => {
    expect(marks(of100('every:10'), '1000', '1001')).toBe('');
  });

  it('a falling line is raised once a period, however often use sinks below it', () => {
    expect(marks(of100('used:5:falling'), '9', '3', ['used:5:falling'])).toBe('');
  });

  it('raising a limit past what is used is no fall', () => {
    const policy = { ...of100('fraction:0.5:falling'), limit: unitsOf('1000') };
    expect(marks(policy, '60', '40')).toBe('');
  });
});

it('raises in order of configuration, and a threshold that is there twice once', () => {
  expect(marks(of100('used:10', 'every:4', 'fraction:0.1', 'used:10'), '3', '10')).toBe(
    'used:10 every:4#4 every:4#8 fraction:0.1@100',
  );
});

it('a leap over very many steps raises the highest hundred, and the next use none of the others', () => {
  const steps = marks(of100('every:1'), '0', '1e9').split(' ');
  expect(steps).toHaveLength(100);
  expect([steps[0], steps.at(-1)]).toEqual(['every:1#999999901', 'every:1#1000000000']);
  expect(marks(of100('every:1'), '1e9', '1000000001', steps)).toBe('every:1#1000000001');
});

it('of the steps of one threshold only the highest needs to be kept', () => {
  const policy = of100('every:10', 'every:1', 'used:2');
  const crossed = crossings(policy, measuresOf('19'), measuresOf('22'), new Set(['every:10#10', 'every:1#19']));
  const kept = raisedAfter(new Set(['every:10#10', 'every:1#19']), crossed);
  expect([...kept].sort()).toEqual(['every:1#22', 'every:10#20', 'used:2']);
  expect(raisedAfter(kept, [])).toBe(kept);
});

it.each(['', '@100', 'fraction@100', 'fraction:0.8:sinking@100', 'some:10#30'])('%j is no mark', (mark) => {
  expect(() => parseMark(mark)).toThrow(TypeError);
});

it('reads marks of old, which do not name the whole', () => {
  expect(parseMark('fraction:0.8')).toEqual({ kind: 'fraction', value: unitsOf('0.8') });
});

describe('laws', () => {
  const value = fc.integer({ min: 1, max: 24 }).map((halves) => (BigInt(halves) * unitsOf('1')) / 2n);
  const rising = fc.record({ kind: fc.constantFrom(...THRESHOLD_KINDS), value });
  const falling = fc.record({ kind: fc.constantFrom(...FALLING_KINDS), value, falling: fc.constant(true as const) });
  const policyOf = (threshold: fc.Arbitrary<Threshold>): fc.Arbitrary<Policy> =>
    fc.record({
      thresholds: fc.array(threshold, { maxLength: 6 }),
      limit: fc.option(value),
      included: fc.option(value),
      credits: fc.constant(null),
    });
  const total = fc.integer({ min: -10, max: 80 }).map((quarters) => (BigInt(quarters) * unitsOf('1')) / 4n);
  const measures: fc.Arbitrary<Measures> = fc.record({ used: total, cost: total });

  it('raising in one jump is raising in steps', () => {
    const ascent = fc.tuple(fc.array(total, { minLength: 2 }), fc.array(total, { minLength: 20 }));
    fc.assert(
      fc.property(policyOf(rising), ascent, (policy, [useds, costs]) => {
        const heights = costs.sort(ascending);
        const path = useds.sort(ascending).map((used, i) => ({ used, cost: heights[i] ?? heights.at(-1) ?? 0n }));
        const stepwise = walk(path.map((to) => ({ policy, to })));
        const leap = walk([path[0], path.at(-1)].flatMap((to) => (to ? [{ policy, to }] : [])));
        expect(stepwise.raised.sort()).toEqual(leap.raised.sort());
      }),
    );
  });

  it('nothing is raised twice in a period, and keeping the highest step alone is as good as keeping all', () => {
    const visit = fc.record({ policy: policyOf(fc.oneof(rising, falling)), to: measures });
    fc.assert(
      fc.property(fc.array(visit, { minLength: 2, maxLength: 30 }), (visits) => {
        const { raised, answers } = walk(visits);
        expect(new Set(raised).size).toBe(raised.length);
        expect(walk(visits, keepAll).answers).toEqual(answers);
        for (const mark of raised) expect(mark).toMatch(/^\S+$/);
      }),
    );
  });

  it('a replay raises nothing', () => {
    fc.assert(
      fc.property(policyOf(fc.oneof(rising, falling)), measures, measures, (policy, before, after) => {
        const crossed = crossings(policy, before, after, new Set());
        expect(crossings(policy, before, after, raisedAfter(new Set(), crossed))).toEqual([]);
      }),
    );
  });

  it('every mark tells its threshold, one that is configured', () => {
    fc.assert(
      fc.property(policyOf(fc.oneof(rising, falling)), measures, measures, (policy, before, after) => {
        for (const { threshold, mark } of crossings(policy, before, after, new Set())) {
          expect(policy.thresholds).toContainEqual(threshold);
          expect(thresholdKey(parseMark(mark))).toBe(thresholdKey(threshold));
        }
      }),
    );
  });

  /** Goes from the first place to each of the others in turn; what each change raised, and all marks. */
  function walk(visits: readonly { policy: Policy; to: Measures }[], keep = raisedAfter) {
    let kept: ReadonlySet<string> = new Set();
    const answers: string[][] = [];
    for (const [i, { policy, to }] of visits.entries()) {
      const crossed = crossings(policy, visits[i - 1]?.to ?? to, to, kept);
      kept = keep(kept, crossed);
      answers.push(crossed.map(({ mark }) => mark));
    }
    return { answers, raised: answers.flat() };
  }

  const keepAll: typeof raisedAfter = (raised, crossed) => new Set([...raised, ...crossed.map(({ mark }) => mark)]);
});

const unitsOrNull = (text: string | null) => (text === null ? null : unitsOf(text));
const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : Number(a > b));
