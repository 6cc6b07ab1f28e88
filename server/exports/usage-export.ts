/** usage-export — what was counted in periods that are closed, as NDJSON, a period each. */
import {
  type ClosedPeriod,
  type ClosedPeriodsFilter,
  closedPeriodsOf,
  referencesAfter,
} from '../db/queries/closed-periods.ts';
import { formatUnits } from '../domain/units.ts';
import type { ReadAs } from './invoice-export.ts';

/** Few periods of many customers, or many of one: 500 in memory either way. */
const CUSTOMERS_AT_ONCE = 25;
const FIRST_PERIODS = 20;
const MORE_PERIODS = 500;

type Known = { readonly customerId: string; readonly referenceId: string };

/** Customers in order of their references; of each, periods in the order in which they ended. */
export async function* usageNdjson(read: ReadAs, filter: ClosedPeriodsFilter): AsyncGenerator<string> {
  let reference = '';
  while (true) {
    const from = reference;
    const customers = await read((query) => referencesAfter(query, filter.tenantId, from, CUSTOMERS_AT_ONCE));
    const first = await read((query) => closedPeriodsOf(query, filter, customers, null, FIRST_PERIODS));
    yield* allOf(read, filter, customers, first);
    const last = customers.at(-1);
    if (!last || customers.length < CUSTOMERS_AT_ONCE) return;
    reference = last.referenceId;
  }
}

/** The first periods of each customer, and where there are more, those before the next customer's. */
async function* allOf(
  read: ReadAs,
  filter: ClosedPeriodsFilter,
  customers: readonly Known[],
  first: readonly ClosedPeriod[],
): AsyncGenerator<string> {
  let text = '';
  for (const customer of customers) {
    const own = first.filter(({ customerId }) => customerId === customer.customerId);
    text += own.map(ndjsonOf).join('');
    if (own.length < FIRST_PERIODS) continue;
    yield text;
    text = '';
    yield* moreOf(read, filter, customer, own.at(-1) ?? null);
  }
  if (text !== '') yield text;
}

async function* moreOf(
  read: ReadAs,
  filter: ClosedPeriodsFilter,
  customer: Known,
  last: ClosedPeriod | null,
): AsyncGenerator<string> {
  let after = last;
  while (after !== null) {
    const from = after;
    const more = await read((query) => closedPeriodsOf(query, filter, [customer], from, MORE_PERIODS));
    if (more.length > 0) yield more.map(ndjsonOf).join('');
    after = more.length < MORE_PERIODS ? null : (more.at(-1) ?? null);
  }
}

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function ndjsonOf(closed: ClosedPeriod): string {
  const { used, held, credits, wallet, overage, cost, walletCharge } = closed;
  const told = {
    referenceId: closed.referenceId,
    featureKey: closed.featureKey,
    period: { start: isoOf(closed.periodStartMs), end: isoOf(closed.periodEndMs) },
    used: formatUnits(used),
    included: formatUnits(used + held - credits - wallet - overage),
    credits: formatUnits(credits),
    wallet: formatUnits(wallet),
    overage: formatUnits(overage),
    cost: formatUnits(cost),
    walletCharge: formatUnits(walletCharge),
    currency: closed.currency,
    closedAt: isoOf(closed.closedAtMs),
    correctedAt: isoOf(closed.correctedAtMs),
  };
  return `${JSON.stringify(told)}\n`;
}
