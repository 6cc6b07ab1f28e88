/**
 * twin-plots — what may happen to a tenant, as plain data that shrinks well: calls in bursts through a gateway or another,
 * and changes by anybody. What a call says is taken from the steps of modelled lives.
 */
import fc from 'fast-check';
import type { Units } from '../../server/domain/units.ts';
import { CUSTOMERS, FEATURES, PLANS, u } from '../model/catalog.ts';
import { type Act, type Step, step, useOf } from '../model/steps.ts';

/** Steps that are a request to the engine. */
const CALLED = [
  ...(['consume', 'record', 'reserve', 'commit', 'release', 'grant'] as const),
  ...(['void', 'top-up', 'reverse', 'reset', 'settle'] as const),
];
type CallAct = (typeof CALLED)[number];
export type StepOf<A extends Act['act']> = Step & { readonly act: A };

/** None, one that is new, or one of a few that come again and again, whatever the call says. */
export type Key = 'none' | 'new' | number;

export type Call =
  | {
      readonly step: StepOf<CallAct>;
      readonly key: Key;
      /** The plan that the call names for itself; null for the customer's own. */
      readonly plan: string | null;
    }
  /** An earlier call as it was, counted back from the last. */
  | { readonly again: number };

export type Scene =
  /** All at once. `gateway` is the one that is looked at; what `another` does, it has not seen. */
  | { readonly scene: 'calls'; readonly through: 'gateway' | 'another'; readonly calls: readonly Call[] }
  | { readonly scene: 'check'; readonly step: StepOf<'consume' | 'reserve'> }
  | { readonly scene: 'change'; readonly step: StepOf<'plan' | 'limits'> }
  | { readonly scene: 'mute'; readonly who: number; readonly feature: string | null; readonly forMs: number | null }
  | { readonly scene: 'zone'; readonly who: number; readonly timeZone: string }
  | { readonly scene: 'feature'; readonly feature: string; readonly limit: Units | null }
  /** The config says other things: see `CATALOGS`. */
  | { readonly scene: 'config'; readonly catalog: number }
  | { readonly scene: 'wait'; readonly ms: number };

export type Plot = { readonly batchSizeMax: number; readonly scenes: readonly Scene[] };

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

const isOf =
  <A extends Act['act']>(...acts: readonly A[]) =>
  (one: Step): one is StepOf<A> =>
    (acts as readonly string[]).includes(one.act); // wider, so that it may be asked for any act

const who = fc.nat({ max: CUSTOMERS.length - 1 });
const featureKey = fc.constantFrom(...FEATURES.map(({ key }) => key));

const key = fc.oneof(
  { weight: 8, arbitrary: fc.constant('none' as const) },
  { weight: 8, arbitrary: fc.constant('new' as const) },
  { weight: 1, arbitrary: fc.nat({ max: 3 }) },
);
const plan = fc.option(fc.constantFrom(...PLANS.map((one) => one.key), 'nobody-has-it'), { freq: 12 });

/** Whom most of a plot is about, and what of it is used often and seldom: each time it is the other's turn, it is read. */
type Heroes = { readonly who: number; readonly often: string; readonly seldom: string };

const useOfOne = (one: number, feature: string): fc.Arbitrary<StepOf<'consume'>> =>
  fc
    .tuple(useOf(fc.constant(feature)), fc.constantFrom(true, false, false, false, false))
    .map(([{ entity, ...of }, isForEntity]) => {
      return { act: 'consume', who: one, hasty: false, ...of, entity: isForEntity ? entity : null };
    });

/** Mostly use of one meter, since what is remembered of a customer is what was asked for last. */
const callOn = ({ who: one, often, seldom }: Heroes): fc.Arbitrary<Call> =>
  fc.oneof(
    { weight: 32, arbitrary: fc.record({ step: useOfOne(one, often), key, plan }) },
    { weight: 6, arbitrary: fc.record({ step: useOfOne(one, seldom), key, plan }) },
    { weight: 3, arbitrary: fc.record({ step: step.filter(isOf('consume')), key, plan }) },
    { weight: 2, arbitrary: fc.record({ step: step.filter(isOf(...CALLED)), key, plan }) },
    { weight: 2, arbitrary: fc.record({ again: fc.nat({ max: 9 }) }) },
  );
const callsOn = (heroes: Heroes, through: 'gateway' | 'another', maxLength: number) =>
  fc.record({
    scene: fc.constant('calls' as const),
    through: fc.constant(through),
    calls: fc.array(callOn(heroes), { minLength: 1, maxLength }),
  });

const ms = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 70 * SECOND }) },
  { weight: 2, arbitrary: fc.integer({ min: 70 * SECOND, max: 2 * DAY }) },
  { weight: 1, arbitrary: fc.integer({ min: 2 * DAY, max: 40 * DAY }) },
  { weight: 1, arbitrary: fc.integer({ min: -90 * SECOND, max: -1 }) }, // as a real clock may be set
);

const changes: readonly fc.Arbitrary<Scene>[] = [
  fc.record({ scene: fc.constant('check' as const), step: step.filter(isOf('consume', 'reserve')) }),
  fc.record({ scene: fc.constant('change' as const), step: step.filter(isOf('plan', 'limits')) }),
  fc.record({
    scene: fc.constant('mute' as const),
    who,
    feature: fc.option<string>(featureKey),
    forMs: fc.option<number>(fc.constantFrom(30 * SECOND, HOUR)),
  }),
  fc.record({
    scene: fc.constant('zone' as const),
    who,
    timeZone: fc.constantFrom('UTC', 'Asia/Tokyo', 'America/Los_Angeles'),
  }),
  fc.record({
    scene: fc.constant('feature' as const),
    feature: featureKey,
    limit: fc.constantFrom(null, u(0), u(3), u(12)),
  }),
  fc.record({ scene: fc.constant('config' as const), catalog: fc.nat({ max: 2 }) }),
];

const sceneOn = (heroes: Heroes): fc.Arbitrary<Scene> =>
  fc.oneof(
    { weight: 30, arbitrary: callsOn(heroes, 'gateway', 1) },
    { weight: 10, arbitrary: callsOn(heroes, 'gateway', 6) },
    { weight: 6, arbitrary: callsOn(heroes, 'another', 2) },
    { weight: 8, arbitrary: fc.record({ scene: fc.constant('wait' as const), ms }) },
    ...changes.map((arbitrary) => ({ weight: 1, arbitrary })),
  );

export const plot: fc.Arbitrary<Plot> = fc.record({ who, often: featureKey, seldom: featureKey }).chain((heroes) =>
  fc.record({
    batchSizeMax: fc.constantFrom(1, 4, 1_000),
    scenes: fc.array(sceneOn(heroes), { minLength: 10, maxLength: 40, size: 'max' }),
  }),
);
