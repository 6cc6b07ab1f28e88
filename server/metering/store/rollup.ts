/**
 * rollup — the events of a batch summed up by customer, feature, minute and values of the feature's dimensions: what
 * usage series and forecasts are read from. Written with the events, in one statement however many they are.
 *
 * The plain events of most batches are gathered where they are stored, see `plainRollupsText`; all others here.
 */
import type { Statement } from '../../db/client.ts';
import { formatUnits, maxUnits, type Units } from '../../domain/units.ts';
import type { NewEvent } from '../state.ts';
import { WITHIN_BATCH } from './columns.ts';

const MINUTE_MS = 60_000;

/** A dimension's value is a label: what is longer is cut, in UTF-16 units and never within a character. */
export const DIMENSION_LENGTH_MAX = 64;

/** What a rollup takes from an event: amounts may be below 0, where something was given back. */
export type RollupEvent = Pick<
  NewEvent,
  'kind' | 'featureKey' | 'occurredAtMs' | 'reported' | 'amount' | 'currency' | 'properties' | 'dimensions'
> & {
  readonly customer: Pick<NewEvent['customer'], 'id' | 'tenantId'>;
  readonly payment: Pick<NewEvent['payment'], 'credits' | 'wallet' | 'overage' | 'cost'>;
};

/** A row of the table `rollups`, or what is added to one. */
export type Rollup = {
  readonly customerId: string;
  readonly featureKey: string;
  readonly minuteMs: number;
  readonly dimensions: string;
  readonly currency: string;
  readonly tenantId: string;
  events: number;
  amount: Units;
  credits: Units;
  wallet: Units;
  overage: Units;
  cost: Units;
  largest: Units;
};

/**
 * Gathers the events of one batch: one row a key, in order of their first event, so that one statement can write them.
 *
 * Late use goes into the minute in which it happened. What bookkeeping wrote is left out: nothing was used by it.
 */
export function rollupsOf(events: readonly RollupEvent[]): readonly Rollup[] {
  const rows = new Map<string, Rollup>();
  for (const event of events) {
    if (!isUse(event)) continue;
    const empty = emptyRollup(event);
    const { customerId, featureKey, minuteMs, currency, dimensions } = empty;
    const key = `${customerId} ${featureKey} ${minuteMs} ${currency} ${dimensions}`; // free text comes last
    const row = rows.get(key) ?? empty;
    rows.set(key, row);
    addTo(row, event);
  }
  return [...rows.values()];
}

/** A gauge's level that was carried into a period, or a period ended by hand, is no use. */
const isUse = ({ kind }: RollupEvent): boolean => kind !== 'carry' && kind !== 'reset';

const emptyRollup = ({ customer, featureKey, occurredAtMs, reported, ...event }: RollupEvent): Rollup => ({
  customerId: customer.id,
  featureKey,
  minuteMs: Math.floor(occurredAtMs / MINUTE_MS) * MINUTE_MS,
  dimensions: dimensionsJson(event.properties, event.dimensions),
  currency: event.currency ?? '',
  tenantId: customer.tenantId,
  events: 0,
  amount: 0n,
  credits: 0n,
  wallet: 0n,
  overage: 0n,
  cost: 0n,
  largest: reported,
});

function addTo(row: Rollup, { amount, payment, reported }: RollupEvent): void {
  row.events += 1;
  row.amount += amount;
  row.credits += payment.credits;
  row.wallet += payment.wallet;
  row.overage += payment.overage;
  row.cost += payment.cost;
  row.largest = maxUnits(row.largest, reported);
}

/**
 * The values of these properties as canonical JSON: `{"model":"large","region":null}`. Text stays as it is; numbers,
 * booleans, lists and objects become their JSON text; what is missing is null.
 */
export function dimensionsJson(properties: string | null, dimensions: readonly string[]): string {
  if (dimensions.length === 0) return '{}';
  const object: object = properties === null ? {} : JSON.parse(properties); // an object, as bounds.object had it
  const entries = [...new Set(dimensions)].sort().map((name) => {
    const value: unknown = Object.hasOwn(object, name) ? object[name as keyof typeof object] : null; // it has that name
    return `${JSON.stringify(name)}:${JSON.stringify(label(value))}`;
  });
  return `{${entries.join(',')}}`;
}

function label(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const cut = text.length <= DIMENSION_LENGTH_MAX ? text : text.slice(0, endOfLabel(text));
  return cut.replace(UNPRINTABLE, '\uFFFD');
}

/** Not between the halves of a pair. */
const endOfLabel = (text: string): number =>
  /[\uD800-\uDBFF]/.test(text.charAt(DIMENSION_LENGTH_MAX - 1)) ? DIMENSION_LENGTH_MAX - 1 : DIMENSION_LENGTH_MAX;

/** JSON spells these with six bytes each, and an index entry has room for a third of what they would come to. */
const UNPRINTABLE = /\p{Cc}|\p{Cs}/gu;

/** A customer's lock is held by whoever writes, so no two writers add to the same row at once. */
const INSERT_ROLLUPS = `
  INSERT INTO rollups (customer_id, feature_key, minute, dimensions, currency, tenant_id,
    events, amount, credits, wallet, overage, cost, largest)`;

/** Adds to what is stored. */
const ON_KNOWN_ROLLUP = `
  ON CONFLICT (customer_id, feature_key, minute, dimensions, currency) DO UPDATE
    SET events = rollups.events + excluded.events, amount = rollups.amount + excluded.amount,
      credits = rollups.credits + excluded.credits, wallet = rollups.wallet + excluded.wallet,
      overage = rollups.overage + excluded.overage, cost = rollups.cost + excluded.cost,
      largest = greatest(rollups.largest, excluded.largest)`;

/**
 * Gathers and adds events that were used now as they were reported, of features without dimensions and without a price:
 * the part of a statement that also stores them. What `rollupsOf` would make of them, without sending anything twice.
 *
 * @param events Name of the part that returns customer_id, feature_key, tenant_id, amount and overage of each.
 * @param now    The instant at which they were used.
 */
export const plainRollupsText = (events: string, now: string): string => `${INSERT_ROLLUPS}
  SELECT customer_id, feature_key, date_trunc('minute', ${now}, 'UTC'), '{}', '', tenant_id,
    count(*), sum(amount), 0, 0, sum(overage), 0, max(amount)
  FROM ${events} GROUP BY customer_id, feature_key, tenant_id${ON_KNOWN_ROLLUP}`;

const saveText = (condition: string): string => `${INSERT_ROLLUPS}
  SELECT v.customer_id::uuid, v.feature_key, v.minute::timestamptz, v.dimensions, v.currency, v.tenant_id::uuid,
    v.events::bigint, v.amount::numeric, v.credits::numeric, v.wallet::numeric, v.overage::numeric, v.cost::numeric, v.largest::numeric
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[]) AS v (customer_id, feature_key, minute, dimensions, currency, tenant_id,
    events, amount, credits, wallet, overage, cost, largest)
  WHERE ${condition}${ON_KNOWN_ROLLUP}`;

const SAVE_WITHIN_BATCH = saveText(WITHIN_BATCH);
const SAVE_ALONE = saveText('true');

/**
 * Adds to what is stored; all in one statement, which is all or nothing by itself.
 *
 * @param isAlone Whether it is to be written by itself, and not with a batch.
 */
export const saveRollupsStatement = (rows: readonly Rollup[], isAlone = false): Statement => ({
  text: isAlone ? SAVE_ALONE : SAVE_WITHIN_BATCH,
  params: [
    rows.map((r) => r.customerId),
    rows.map((r) => r.featureKey),
    rows.map((r) => new Date(r.minuteMs).toISOString()),
    rows.map((r) => r.dimensions),
    rows.map((r) => r.currency),
    rows.map((r) => r.tenantId),
    rows.map((r) => String(r.events)),
    rows.map((r) => formatUnits(r.amount)),
    rows.map((r) => formatUnits(r.credits)),
    rows.map((r) => formatUnits(r.wallet)),
    rows.map((r) => formatUnits(r.overage)),
    rows.map((r) => formatUnits(r.cost)),
    rows.map((r) => formatUnits(r.largest)),
  ],
});
