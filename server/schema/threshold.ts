/** threshold — a line whose crossing is worth an alert. */
import { invalidInput } from '../domain/errors.ts';
import { canFall, THRESHOLD_KINDS, type Threshold, type ThresholdKind } from '../domain/threshold.ts';
import type { ParsedUnits } from '../domain/units.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';

const ThresholdKindEnum = wordEnum<ThresholdKind>('ThresholdKind', 'What a threshold is measured by.', {
  fraction: 'The part of the limit that is used, or of what is included where there is no limit: 0.8 is 80 %.',
  used: 'Units used: reached at or above.',
  remaining: 'Units left under the limit: reached at or below.',
  remaining_fraction: 'The part of the limit that is left: reached at or below.',
  spend: 'What units beyond included and credits cost, in minor units (cents): reached at or above.',
  every: 'Each multiple of so many units used: one alert for each.',
});

export const ThresholdType = builder.objectRef<Threshold>('Threshold').implement({
  description: 'A line that raises one alert per customer, feature and period when it is reached.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ThresholdKindEnum, description: 'What it is measured by.' }),
    value: t.expose('value', { type: 'Decimal', description: 'A fraction, units or money, as `kind` says.' }),
    falling: t.boolean({
      description: 'Whether it is reached on the way down, by use that is given back.',
      resolve: ({ falling }) => falling ?? false,
    }),
  }),
});

export const ThresholdInput = builder.inputType('ThresholdInput', {
  description:
    'A line that raises one alert per customer, feature and period when it is reached. It has exactly one of the fields, beside `falling`.',
  fields: (t) => ({
    fraction: t.field({ type: 'Decimal', description: 'Part of the limit used, above 0 and at most 10: 0.8 is 80 %.' }),
    used: t.field({ type: 'Decimal', description: 'Units used, above 0.' }),
    remaining: t.field({ type: 'Decimal', description: 'Units left under the limit, 0 or more.' }),
    remainingFraction: t.field({ type: 'Decimal', description: 'Part of the limit left, from 0 and below 1.' }),
    spend: t.field({ type: 'Decimal', description: 'Money spent in the period, in minor units (cents), above 0.' }),
    every: t.field({ type: 'Decimal', description: 'A step above 0: one alert for each so many units used.' }),
    falling: t.boolean({ description: 'Watches `fraction` or `used` on the way down, in place of up.' }),
  }),
});

const FIELD_OF = {
  fraction: 'fraction',
  used: 'used',
  remaining: 'remaining',
  remaining_fraction: 'remainingFraction',
  spend: 'spend',
  every: 'every',
} as const satisfies Record<ThresholdKind, string>;

export type ThresholdFields = {
  readonly [Field in (typeof FIELD_OF)[ThresholdKind]]?: ParsedUnits | null | undefined;
} & { readonly falling?: boolean | null | undefined };

/** @throws {MeterError} `INVALID_INPUT` for none or several of the fields, and for text that is no decimal. */
export const thresholdsFrom = (list: readonly ThresholdFields[], path: bounds.Path): readonly Threshold[] =>
  list.map((fields, i) => thresholdFrom(fields, [...path, `${i}`]));

function thresholdFrom(fields: ThresholdFields, path: bounds.Path): Threshold {
  const [kind, ...others] = THRESHOLD_KINDS.filter((known) => bounds.isGiven(fields[FIELD_OF[known]]));
  const sent = kind && fields[FIELD_OF[kind]];
  if (!kind || !sent || others.length > 0) {
    const names = Object.values(FIELD_OF).map((field) => `\`${field}\``);
    throw invalidInput(path, `A threshold has exactly one of ${names.join(', ')}.`);
  }
  const value = bounds.decimal(sent, [...path, FIELD_OF[kind]]);
  if (!fields.falling) return { kind, value };
  if (canFall(kind)) return { kind, value, falling: true };
  throw invalidInput([...path, 'falling'], '`falling` goes with `fraction` and `used` alone; leave it out.');
}
