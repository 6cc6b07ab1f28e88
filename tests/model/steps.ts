/** steps — what can happen in a modelled life, as plain data that shrinks well and reads like a script. */
import fc from 'fast-check';
import type { OnRenewal } from '../../server/domain/credit-rule.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import { CONSUME_MODES, type ConsumeMode } from '../../server/domain/meter-state.ts';
import type { Reset } from '../../server/domain/period.ts';
import type { PlanChange } from '../../server/domain/plan-change.ts';
import { formatUnits, type Units } from '../../server/domain/units.ts';
import { CUSTOMERS, FEATURES, PLANS, u } from './catalog.ts';

/** Which of a customer's, counted back from the newest; beyond the oldest it starts over. */
type Back = number;

export type Use = {
  readonly feature: string;
  readonly amount: Units;
  readonly mode: ConsumeMode;
  readonly entity: string | null;
  /** The value that a feature of distinct ones counts. */
  readonly user: string;
  /** Whether it has an idempotency key. */
  readonly keyed: boolean;
};

export type Act =
  | ({ readonly act: 'consume' | 'check' } & Use)
  | ({ readonly act: 'record'; readonly agoMs: number } & Use)
  | ({ readonly act: 'reserve'; readonly ttlMs: number } & Use)
  | { readonly act: 'commit'; readonly hold: Back; readonly amount: Units | null; readonly mode: ConsumeMode }
  | { readonly act: 'release'; readonly hold: Back }
  | {
      readonly act: 'grant';
      readonly feature: string;
      readonly amount: Units;
      readonly priority: number | null;
      readonly inMs: number | null;
      readonly forMs: number | null;
      readonly recurring: { readonly reset: Reset; readonly onRenewal: OnRenewal } | null;
    }
  | { readonly act: 'void'; readonly grant: Back }
  | { readonly act: 'top-up'; readonly amount: Units }
  | { readonly act: 'reverse'; readonly event: Back }
  | { readonly act: 'reset'; readonly feature: string }
  | { readonly act: 'plan'; readonly plan: string; readonly effective: PlanChange | null }
  | { readonly act: 'limits'; readonly feature: string; readonly fields: LimitFields }
  | { readonly act: 'settle' }
  | { readonly act: 'retry' }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'midnight'; readonly offsetMs: number }
  | { readonly act: 'crash' };

/** One thing that happens to one customer. */
export type Step = Act & {
  readonly who: number;
  /** Sent without waiting for its answer, so that it may share a batch with the next. */
  readonly hasty: boolean;
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const featureKey = fc.constantFrom(...FEATURES.map(({ key }) => key));
const additive = fc.constantFrom('tokens', 'minutes', 'calls', 'images', 'volume');
const prepaid = fc.constantFrom('tokens', 'minutes', 'images', 'calls', 'storage');
const mode = fc.oneof({ weight: 4, arbitrary: fc.constant('REJECT' as const) }, fc.constantFrom(...CONSUME_MODES));
const back = fc.nat({ max: 3 });
const amountOf = (...amounts: number[]) => fc.constantFrom(...amounts.map(u));
const positive = amountOf(1, 2, 0.5, 3, 5, 4.25, 8, 0.001, 7.5, 13);

/** Amounts that make sense for most calls of a feature, and some that don't. */
function usualAmount(feature: string): fc.Arbitrary<Units> {
  switch (feature) {
    case 'calls':
      return fc.oneof({ weight: 20, arbitrary: amountOf(1) }, amountOf(2));
    case 'seats':
      return fc.constant(u(1));
    case 'storage':
      return amountOf(0, 1, 2, 3.5, 5, 6, 9);
    case 'disk':
      return amountOf(1, 2, 3, 4.5, 6, -1, -2, -3.25);
    case 'tokens':
      return amountOf(1, 2, 0.5, 3, 5, 4.25, 8, 0.001, 7.5, 13, -1, -2.5, -6);
    case 'volume':
      return amountOf(1, 2.5, 7, 10, 16, 40);
    default:
      return positive;
  }
}

const anyAmount = (feature: string): fc.Arbitrary<Units> =>
  fc.oneof({ weight: 30, arbitrary: usualAmount(feature) }, amountOf(0, -1));

export const useOf = (feature: fc.Arbitrary<string>): fc.Arbitrary<Use> =>
  feature.chain((key) =>
    fc.record({
      feature: fc.constant(key),
      amount: anyAmount(key),
      mode,
      entity: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.constantFrom('desk-1', 'desk-2')),
      user: fc.constantFrom('ann', 'bob', 'cyd', 'dee'),
      keyed: fc.boolean(),
    }),
  );

const RENEWALS: readonly OnRenewal[] = [
  'reset',
  'add',
  { max: u(3), maxFraction: null, expiresAfter: 'every 2 month' },
  { max: null, maxFraction: u('0.5'), expiresAfter: null },
];

const grant = fc.record({
  act: fc.constant('grant' as const),
  feature: prepaid,
  amount: positive,
  priority: fc.option(fc.constantFrom(0, 50, 300)),
  inMs: fc.option(fc.constantFrom(HOUR + 7, 2 * DAY + 11), { freq: 3 }),
  forMs: fc.option(fc.constantFrom(HOUR + 3_017, 3 * DAY + 5, 40 * DAY + 1)),
  recurring: fc.option(
    fc.record({ reset: fc.constantFrom<Reset>('daily', 'weekly', 'monthly'), onRenewal: fc.constantFrom(...RENEWALS) }),
    { freq: 3 },
  ),
});

const fields: fc.Arbitrary<LimitFields> = fc.oneof(
  fc.constant({}),
  fc.record({ limit: fc.option(amountOf(0, 2, 5, 10, 25)) }),
  fc.record({ included: amountOf(0, 1, 6) }),
  fc.record({ enforcement: fc.constantFrom('hard' as const, 'soft' as const) }),
);

/** Every act with how often it comes. */
const acts: readonly fc.WeightedArbitrary<Act>[] = [
  { weight: 30, arbitrary: useOf(featureKey).map((use) => ({ act: 'consume' as const, ...use })) },
  { weight: 6, arbitrary: useOf(featureKey).map((use) => ({ act: 'check' as const, ...use })) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(useOf(additive), fc.constantFrom(0, HOUR, 5 * HOUR, DAY, 9 * DAY, 34 * DAY))
      .map(([use, agoMs]) => ({ act: 'record' as const, ...use, agoMs })),
  },
  {
    weight: 9,
    arbitrary: fc
      .tuple(useOf(additive), fc.constantFrom(40 * SECOND + 19, 10 * MINUTE + 7, 24 * HOUR))
      .map(([use, ttlMs]) => ({ act: 'reserve' as const, ...use, ttlMs })),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('commit' as const),
      hold: back,
      amount: fc.option<Units>(fc.oneof({ weight: 6, arbitrary: positive }, amountOf(0, -1))),
      mode,
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('release' as const), hold: back }) },
  { weight: 6, arbitrary: grant },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('void' as const), grant: back }) },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant('top-up' as const), amount: amountOf(30, 55.5, 100, 250, -20) }),
  },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('reverse' as const), event: back }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('reset' as const), feature: additive }) },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('plan' as const),
      plan: fc.constantFrom(...PLANS.map(({ key }) => key)),
      effective: fc.option<PlanChange>(fc.constantFrom<PlanChange>('immediately', 'at_renewal')),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('limits' as const), feature: featureKey, fields }) },
  { weight: 2, arbitrary: fc.constant({ act: 'settle' as const }) },
  { weight: 5, arbitrary: fc.constant({ act: 'retry' as const }) },
  {
    weight: 12,
    arbitrary: fc.record({
      act: fc.constant('wait' as const),
      ms: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 70 * SECOND }) },
        { weight: 3, arbitrary: fc.integer({ min: MINUTE, max: 2 * HOUR }) },
        { weight: 3, arbitrary: fc.integer({ min: 2 * HOUR, max: 3 * DAY }) },
        { weight: 2, arbitrary: fc.integer({ min: 5 * DAY, max: 40 * DAY }) },
        { weight: 1, arbitrary: fc.integer({ min: 60 * DAY, max: 400 * DAY }) },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('midnight' as const),
      offsetMs: fc.constantFrom(0, -1, 1, 2 * HOUR + 30 * MINUTE),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ act: 'crash' as const }) },
];

export const step: fc.Arbitrary<Step> = fc
  .tuple(fc.oneof(...acts), fc.nat({ max: CUSTOMERS.length - 1 }), fc.constantFrom(false, true, true, true))
  .map(([act, who, hasty]) => ({ ...act, who, hasty }));

/** A step as a line of a script: `berlin consumes 3 tokens CLAMP for desk-1, keyed …`. */
export function spellStep(step: Step): string {
  const who = CUSTOMERS[step.who]?.referenceId ?? '?';
  return `${who}: ${spellAct(step)}${step.hasty ? ' …' : ''}`;
}

function spellAct(step: Act): string {
  switch (step.act) {
    case 'consume':
    case 'check':
      return `${step.act} ${spellUse(step)}`;
    case 'record':
      return `record ${spellUse(step)}, ${spellMs(step.agoMs)} ago`;
    case 'reserve':
      return `reserve ${spellUse(step)}, for ${spellMs(step.ttlMs)}`;
    case 'commit':
      return `commit hold -${step.hold} with ${step.amount === null ? 'all of it' : formatUnits(step.amount)} ${step.mode}`;
    case 'release':
      return `release hold -${step.hold}`;
    case 'grant':
      return `grant ${formatUnits(step.amount)} ${step.feature}${spellGrant(step)}`;
    case 'void':
      return `void grant -${step.grant}`;
    case 'top-up':
      return `top up ${formatUnits(step.amount)}`;
    case 'reverse':
      return `reverse event -${step.event}`;
    case 'reset':
      return `reset ${step.feature}`;
    case 'plan':
      return `plan ${step.plan} ${step.effective ?? 'as usual'}`;
    case 'limits':
      return `limits of ${step.feature} ${spellJson(step.fields)}`;
    case 'wait':
      return `wait ${spellMs(step.ms)}`;
    case 'midnight':
      return `wait until midnight ${spellMs(step.offsetMs)}`;
    default:
      return step.act;
  }
}

const spellUse = ({ feature, amount, mode, entity, user, keyed }: Use): string =>
  `${formatUnits(amount)} ${feature} ${mode}${feature === 'seats' ? ` of ${user}` : ''}${entity ? ` at ${entity}` : ''}${keyed ? ', keyed' : ''}`;

function spellGrant({ priority, inMs, forMs, recurring }: Extract<Act, { act: 'grant' }>): string {
  const parts = [
    priority === null ? '' : ` at priority ${priority}`,
    inMs === null ? '' : ` in ${spellMs(inMs)}`,
    forMs === null ? '' : ` for ${spellMs(forMs)}`,
    recurring === null ? '' : ` again ${spellJson(recurring)}`,
  ];
  return parts.join('');
}

const spellMs = (ms: number): string => `${ms / 1_000} s`;

const spellJson = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? formatUnits(part) : part));
