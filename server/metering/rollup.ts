/**
 * rollup — the events of a batch summed up by customer, feature, minute and values of the feature's dimensions: what
 * usage series and forecasts are read from. Written with the events, in one statement however many they are.
 */
import type { Parameter, Statement } from '../db/client.ts';
import { formatUnits, maxUnits, type Units } from '../domain/units.ts';

const MINUTE_MS = 60_000;

/** A dimension's value is a label: what is longer is cut, in UTF-16 units and never within a character. */
export const DIMENSION_LENGTH_MAX = 64;

/** What a rollup takes from an event. Amounts may be below 0, where something was given back. */
export type RollupEvent = {
  readonly customer: { readonly id: string; readonly tenantId: string };
  readonly featureKey: string;
  /** Decides the minute: late use goes into the minute in which it happened. */
  readonly occurredAtMs: number;
  /** What it added to the counter. */
  readonly taken: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  /** What the wallet and overage units cost, in minor units of `currency`. */
  readonly cost: Units;
  /** Null where there is no price. */
  readonly currency: string | null;
  /** As it was sent: an amount, or the level of a gauge. */
  readonly reported: Units;
  /** JSON text of an object; null for none. */
  readonly properties: string | null;
  /** The feature's. */
  readonly dimensions: readonly string[];
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

/** Gathers the events of one batch: one row a key, so that one statement can write them all. */
export class Rollups {
  readonly #rows = new Map<string, Rollup>();

  add(event: RollupEvent): void {
    const { customer, featureKey, reported } = event;
    const minuteMs = Math.floor(event.occurredAtMs / MINUTE_MS) * MINUTE_MS;
    const dimensions = dimensionsJson(event.properties, event.dimensions);
    const currency = event.currency ?? '';
    const key = `${customer.id} ${featureKey} ${minuteMs} ${currency} ${dimensions}`; // free text comes last
    const row = this.#rows.get(key);
    if (row) addTo(row, event);
    else {
      const { credits, wallet, overage, cost } = event;
      this.#rows.set(key, {
        ...{ customerId: customer.id, featureKey, minuteMs, dimensions, currency, tenantId: customer.tenantId },
        ...{ events: 1, amount: event.taken, credits, wallet, overage, cost, largest: reported },
      });
    }
  }

  /** In order of their first event. */
  get rows(): readonly Rollup[] {
    return [...this.#rows.values()];
  }
}

function addTo(row: Rollup, event: RollupEvent): void {
  row.events += 1;
  row.amount += event.taken;
  row.credits += event.credits;
  row.wallet += event.wallet;
  row.overage += event.overage;
  row.cost += event.cost;
  row.largest = maxUnits(row.largest, event.reported);
}

/**
 * The values of these properties as canonical JSON: `{"model":"large","region":null}`. Text stays as it is; numbers,
 * booleans, lists and objects become their JSON text; what is missing is null. Any two features without dimensions
 * have `{}`.
 */
export function dimensionsJson(properties: string | null, dimensions: readonly string[]): string {
  if (dimensions.length === 0) return '{}';
  const object: object = properties === null ? {} : JSON.parse(properties); // an object, as bounds.object had it
  const entries = [...new Set(dimensions)].sort().map((name) => {
    const value: unknown = Object.hasOwn(object, name) ? object[name as keyof typeof object] : null;
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

/** @param first Number of the first parameter, for a statement that has others before them. */
export const saveRollupsSql = (first = 1): string => {
  const column = (i: number): string => `$${first + i}::text[]`;
  const columns = Array.from({ length: ROLLUP_PARAMS }, (_, i) => column(i)).join(', ');
  return `
    INSERT INTO rollups (customer_id, feature_key, minute, dimensions, currency, tenant_id,
      events, amount, credits, wallet, overage, cost, largest)
    SELECT v.customer_id::uuid, v.feature_key, v.minute::timestamptz, v.dimensions, v.currency, v.tenant_id::uuid,
      v.events::bigint, v.amount::numeric, v.credits::numeric, v.wallet::numeric, v.overage::numeric, v.cost::numeric, v.largest::numeric
    FROM unnest(${columns}) AS v (customer_id, feature_key, minute, dimensions, currency, tenant_id,
      events, amount, credits, wallet, overage, cost, largest)
    ON CONFLICT (customer_id, feature_key, minute, dimensions, currency) DO UPDATE
      SET events = rollups.events + excluded.events, amount = rollups.amount + excluded.amount,
        credits = rollups.credits + excluded.credits, wallet = rollups.wallet + excluded.wallet,
        overage = rollups.overage + excluded.overage, cost = rollups.cost + excluded.cost,
        largest = greatest(rollups.largest, excluded.largest)`;
};

/** How many parameters `saveRollupsSql` takes. */
export const ROLLUP_PARAMS = 13;

/** In the order in which `saveRollupsSql` numbers them. */
export const rollupParams = (rows: readonly Rollup[]): readonly Parameter[] => [
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
];

export const ROLLUP_SQL = saveRollupsSql();

/** A statement of its own, for what is written outside a batch. */
export const saveRollupsStatement = (rows: readonly Rollup[]): Statement => ({
  text: ROLLUP_SQL,
  params: rollupParams(rows),
});
