/** documented-rules — what the tables of the docs ask of the pure rules: a row's cells in, its last cell out. */

import { ConfigError } from '../../server/config-problems.ts';
import { crossings, type Measures, STEPS_MAX } from '../../server/domain/alert.ts';
import { DIMENSIONS_MAX } from '../../server/domain/definition-bounds.ts';
import { DURATION_UNITS, durationToUnits } from '../../server/domain/duration.ts';
import { RATE_LIMITS_MAX, THRESHOLDS_MAX } from '../../server/domain/limit-bounds.ts';
import { type Anchor, periodAt, problemOfReset, type Reset } from '../../server/domain/period.ts';
import { BILLING_INTERVALS, type Plan } from '../../server/domain/plan.ts';
import { directionOf } from '../../server/domain/plan-change.ts';
import { costOf, type Price, TIERS_MAX } from '../../server/domain/price.ts';
import { prorate } from '../../server/domain/proration.ts';
import { RESERVATION_TTL_DEFAULT_MS, RESERVATION_TTL_MAX_MS } from '../../server/domain/reservation.ts';
import { settled, spellLive, spellMoved } from '../../server/domain/testing/grants.ts';
import { atMs, january, stored } from '../../server/domain/testing/january.ts';
import {
  DIGITS_MAX,
  FRACTION_DIGITS_MAX,
  formatUnits,
  PREPAID_MAX,
  parseUnits,
  roundToWhole,
  unitsOf,
} from '../../server/domain/units.ts';
import { COOL_OFF_MS, TOP_UPS_PER_MONTH } from '../../server/domain/wallet.ts';
import { CARRIED_PERIODS_MAX } from '../../server/metering/draft.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { type Cases, objectOf } from '../support/worked-examples.ts';
import { limitsOf, planSaying, policyOf } from './documented-config.ts';

/** Tells of one row what its last column has to say. */
export type Row = (cells: readonly string[], cases: Cases) => string;

/** The exact costs of a quantity, by the price above the table. */
const price: Row = ([quantity = ''], { config }) => formatUnits(costOf(priceOf(config), number(quantity)));

function priceOf(config: Cases['config']): Price {
  const { price: said } = limitsOf(config);
  if (!said) throw new Error('write the price into a code block above its table');
  return said;
}

/** An amount on an invoice line. */
const round: Row = ([exact = '']) => formatUnits(roundToWhole(unitsOf(exact)));

/** What is written, as the wire and the config take it. */
const decimal: Row = ([text = '']) => {
  const parsed = parseUnits(text);
  return parsed.ok ? formatUnits(parsed.units) : 'refused';
};

/** What a feature, a plan and a customer say, merged: the fields that decide. */
const policy: Row = (cells) => {
  const { limit, included, enforcement } = policyOf(cells.map(objectOf));
  const shown = (units: bigint | null): string => (units === null ? 'no limit' : formatUnits(units));
  return `limit ${shown(limit)}, included ${shown(included)}, ${enforcement}`;
};

/** A reset, from the calendar or (with the option `start`) from the customer's start, around an instant. */
const period: Row = ([reset = '', timeZone = '', at = ''], { options }) => {
  const problem = problemOfReset(reset);
  if (problem !== null) throw new Error(`the reset ${problem}`);
  const start = options.start === undefined ? null : Date.parse(options.start);
  const { startMs, endMs } = periodAt(
    {
      reset: reset as Reset, // checked above
      anchor: (start === null ? 'calendar' : 'subscription') satisfies Anchor,
      anchorMs: start ?? 0,
      timeZone,
      sinceMs: 0,
    },
    Date.parse(at),
  );
  if (endMs === null) return 'never ends';
  return `${short(startMs)} to ${short(endMs)}, ${hours((endMs - startMs) / 3_600_000)}`;
};

const short = (ms: number): string => new Date(ms).toISOString().replace(':00.000Z', 'Z');
const hours = (count: number): string => (count % 24 === 0 ? `${count / 24} d` : `${count} h`);

/** So much is left of January's 100 credits: what is there on 1 February, or a later day. */
const renewal: Row = ([onRenewal = '', left = '', on = '02-01']) => {
  const { credits } = limitsOf({ credits: { allocation: 100, ...objectOf(onRenewal) } });
  if (!credits) throw new Error('write the onRenewal of credits');
  const { grant } = january('plan', 'reset', left, {
    renewal: { reset: 'monthly', onRenewal: credits.onRenewal, amount: credits.allocation, untilMs: null },
    expiresAtMs: credits.onRenewal === 'add' ? null : atMs('02-01'),
  });
  const after = settled(stored(grant), { nowMs: atMs(on), rule: { ...credits, reset: 'monthly' } });
  return `${spellLive(after.grants)} (${spellMoved(after.changes)})`;
};

/** Which lines a change of use crosses, on a limit of 100. `5 for 200`: 5 used that cost 200. */
const threshold: Row = ([line = '', from = '', to = '']) => {
  const { thresholds = [] } = limitsOf(objectOf(`thresholds: [${line}]`));
  const limit = unitsOf('100');
  const crossed = crossings({ thresholds, limit, included: limit, credits: null }, totals(from), totals(to), new Set());
  return crossed.map(({ mark }) => mark).join(', ') || 'none';
};

function totals(text: string): Measures {
  const [used = '', cost = '0'] = text.split(' for ');
  return { used: unitsOf(used), cost: unitsOf(cost) };
}

/** An ISO 8601 duration in units. */
const duration: Row = ([text = '', word = '']) => {
  const unit = DURATION_UNITS.find((known) => known === word);
  if (unit === undefined) throw new Error(`"${word}" is no unit of time`);
  const parsed = durationToUnits(text, unit);
  return parsed.ok ? formatUnits(parsed.units) : 'refused';
};

/** The share of a base price: of the month of June, between two instants. */
const proration: Row = ([amount = '', from = '', to = '']) => {
  const june = { startMs: Date.UTC(2026, 5), endMs: Date.UTC(2026, 6) };
  const share = prorate({ amount: number(amount), currency: 'usd' }, june, Date.parse(from), Date.parse(to));
  return formatUnits(share.amount);
};

/** Which way a change of plan goes, by the plans' base prices: `2000 month`, or `none`. */
const direction: Row = ([from = '', to = '']) => directionOf(planFor(from), planFor(to));

function planFor(spelled: string): Plan {
  if (spelled === 'none') return planSaying([]);
  const [amount = '', word] = spelled.split(' ');
  const interval = BILLING_INTERVALS.find((known) => known === word);
  if (interval === undefined) throw new Error(`"${word}" is no interval of a base price`);
  return planSaying([{ amount: unitsOf(amount), currency: 'usd', interval }]);
}

/** Whether a config is accepted, or the place that is refused first. */
const config: Row = ([said = '']) => {
  try {
    parseConfig(objectOf(said), 'the example');
    return 'accepted';
  } catch (error) {
    if (error instanceof ConfigError) return `refused at ${error.problems[0]?.path}`;
    throw error;
  }
};

/** A bound by its name. */
const bound: Row = ([name = '']) => BOUNDS[name] ?? 'unknown';

const day = (ms: number): string => (ms % 86_400_000 === 0 ? `${ms / 86_400_000} d` : `${ms / 60_000} min`);

/** Every number that is a bound, by what the page calls it. */
export const BOUNDS: Readonly<Record<string, string>> = {
  'digits after the point': String(FRACTION_DIGITS_MAX),
  'digits in all': String(DIGITS_MAX),
  'put into credits or a wallet at a time, at most': formatUnits(PREPAID_MAX),
  'periods of idle gauges that one transaction settles': String(CARRIED_PERIODS_MAX),
  'a hold lasts at most': day(RESERVATION_TTL_MAX_MS),
  'a hold lasts, unless it says otherwise': day(RESERVATION_TTL_DEFAULT_MS),
  'tiers of a price': String(TIERS_MAX),
  'thresholds of a feature': String(THRESHOLDS_MAX),
  'rate limits of a plan or a feature': String(RATE_LIMITS_MAX),
  'alerts of one every that one call raises': String(STEPS_MAX),
  'properties to group by': String(DIMENSIONS_MAX),
  'top-ups a month, unless the plan says otherwise': String(TOP_UPS_PER_MONTH),
  'no top-up after one that failed, unless the plan says otherwise': day(COOL_OFF_MS),
};

/** `1,000` as people write it. */
const number = (text: string): bigint => unitsOf(text.replaceAll(',', ''));

export const RULES: Readonly<Record<string, Row>> = {
  price,
  round,
  decimal,
  policy,
  period,
  renewal,
  threshold,
  duration,
  proration,
  direction,
  bound,
  config,
};
