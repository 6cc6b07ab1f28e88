/** credit-rule — the credits that a plan allocates for a feature, and what becomes of unused ones. */
import { type CreditRule, type OnRenewal, PLAN_PRIORITY, type Rollover } from '../domain/credit-rule.ts';
import { invalidInput } from '../domain/errors.ts';
import type { ParsedUnits } from '../domain/units.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { IntervalInput, IntervalType, intervalFrom, partsOf, ResetEnum, resetFrom, resetWordOf } from './period.ts';

const RENEWALS = ['reset', 'add', 'rollover'] as const;
type RenewalWord = (typeof RENEWALS)[number];

export const OnRenewalEnum = wordEnum<RenewalWord>('OnRenewal', 'What becomes of unused credits when they renew.', {
  reset: 'They go.',
  add: 'They stay, beside the new ones.',
  rollover: 'They roll over into credits of their own, as far as the cap allows.',
});

export const RolloverType = builder.objectRef<Rollover>('Rollover').implement({
  description: 'How far unused credits roll over, and for how long.',
  fields: (t) => ({
    max: t.expose('max', {
      type: 'Decimal',
      nullable: true,
      description: 'The most that may be held rolled over, in units. Null: as `maxFraction` says, or without a cap.',
    }),
    maxFraction: t.expose('maxFraction', {
      type: 'Decimal',
      nullable: true,
      description: 'The same as a part of what is allocated: 0.5 is half.',
    }),
    expiresAfter: t.field({
      type: IntervalType,
      nullable: true,
      description: 'How long rolled over credits live. Null: for ever.',
      resolve: ({ expiresAfter }) => expiresAfter && partsOf(expiresAfter),
    }),
  }),
});

export const CreditRuleType = builder.objectRef<CreditRule>('CreditRule').implement({
  description: 'Prepaid units that are given anew each period.',
  fields: (t) => ({
    allocation: t.expose('allocation', { type: 'Decimal', description: 'Units given at the start of each period.' }),
    onRenewal: t.field({
      type: OnRenewalEnum,
      description: 'What becomes of unused ones.',
      resolve: ({ onRenewal }) => (typeof onRenewal === 'string' ? onRenewal : 'rollover'),
    }),
    rollover: t.field({
      type: RolloverType,
      nullable: true,
      description: 'How far unused ones roll over. Null: they do not.',
      resolve: ({ onRenewal }) => (typeof onRenewal === 'string' ? null : onRenewal),
    }),
    reset: t.field({
      type: ResetEnum,
      nullable: true,
      description: "When they renew. Null: with the feature's counter.",
      resolve: ({ reset }) => reset && resetWordOf(reset),
    }),
    resetInterval: t.field({
      type: IntervalType,
      nullable: true,
      description: 'How long an `INTERVAL` is. Null for every other `reset`.',
      resolve: ({ reset }) => reset && partsOf(reset),
    }),
    priority: t.exposeInt('priority', { description: 'Lower burns first.' }),
  }),
});

export const RolloverInput = builder.inputType('RolloverInput', {
  description: 'How far unused credits roll over, and for how long. Without `max` and `maxFraction` there is no cap.',
  fields: (t) => ({
    max: t.field({ type: 'Decimal', description: 'The most that may be held rolled over, in units; above 0.' }),
    maxFraction: t.field({
      type: 'Decimal',
      description: 'The same as a part of what is allocated: 0.5 is half. Not beside `max`.',
    }),
    expiresAfter: t.field({
      type: IntervalInput,
      description: 'How long rolled over credits live; for ever by default.',
    }),
  }),
});

export const CreditRuleInput = builder.inputType('CreditRuleInput', {
  description: 'Prepaid units that are given anew each period.',
  fields: (t) => ({
    allocation: t.field({ type: 'Decimal', required: true, description: 'Units given each time; above 0.' }),
    onRenewal: t.field({ type: OnRenewalEnum, description: 'What becomes of unused ones. `RESET` by default.' }),
    rollover: t.field({ type: RolloverInput, description: 'How far they roll over; goes with `ROLLOVER` alone.' }),
    reset: t.field({ type: ResetEnum, description: "When they renew. With the feature's counter by default." }),
    resetInterval: t.field({ type: IntervalInput, description: 'When they renew, in place of `reset`.' }),
    priority: t.int({ description: 'Lower burns first. 0 by default, before credits that were bought.' }),
  }),
});

export type RolloverFields = {
  readonly max?: ParsedUnits | null | undefined;
  readonly maxFraction?: ParsedUnits | null | undefined;
  readonly expiresAfter?: Parameters<typeof intervalFrom>[0] | null | undefined;
};
type RenewalFields = {
  readonly onRenewal?: RenewalWord | null | undefined;
  readonly rollover?: RolloverFields | null | undefined;
};
export type CreditRuleFields = RenewalFields &
  Parameters<typeof resetFrom>[0] & { readonly allocation: ParsedUnits; readonly priority?: number | null | undefined };

/** @throws {MeterError} `INVALID_INPUT` for fields that contradict each other, and for text that is no decimal. */
export const creditRuleFrom = (fields: CreditRuleFields, path: bounds.Path): CreditRule => ({
  allocation: bounds.decimal(fields.allocation, [...path, 'allocation']),
  onRenewal: onRenewalFrom(fields, path),
  reset: resetFrom(fields, path) ?? null,
  priority: fields.priority ?? PLAN_PRIORITY,
});

/** What `onRenewal` and `rollover` say together; `RESET` where they say nothing. */
export function onRenewalFrom({ onRenewal, rollover }: RenewalFields, path: bounds.Path): OnRenewal {
  if (!rollover) return onRenewal === 'rollover' ? rolloverFrom({}, path) : (onRenewal ?? 'reset');
  if (!onRenewal || onRenewal === 'rollover') return rolloverFrom(rollover, [...path, 'rollover']);
  throw invalidInput(
    [...path, 'rollover'],
    `\`rollover\` is there beside \`onRenewal: ${onRenewal.toUpperCase()}\`; send one of them, or ROLLOVER with its cap.`,
  );
}

const rolloverFrom = ({ max, maxFraction, expiresAfter }: RolloverFields, path: bounds.Path): Rollover => ({
  max: max ? bounds.decimal(max, [...path, 'max']) : null,
  maxFraction: maxFraction ? bounds.decimal(maxFraction, [...path, 'maxFraction']) : null,
  expiresAfter: expiresAfter ? intervalFrom(expiresAfter, [...path, 'expiresAfter']) : null,
});
