/** loaders — reads on behalf of the viewer's tenant: what many fields of an operation ask for is asked for once. */
import DataLoader from 'dataloader';
import { findAlerts } from '../actions/find-alerts.ts';
import { findCustomers } from '../actions/find-customers.ts';
import { findEvents } from '../actions/find-events.ts';
import { findGrants } from '../actions/find-grants.ts';
import { findInvoiceLines } from '../actions/find-invoices.ts';
import { findLines, type PostedLine } from '../actions/find-ledger.ts';
import { findSubscriptions } from '../actions/find-subscriptions.ts';
import { findApiKeys, findTenant } from '../actions/find-tenant.ts';
import { findWallets, type WalletRecord } from '../actions/find-wallets.ts';
import type { Context } from '../context.ts';
import type { Customer } from '../domain/customer.ts';
import type { InvoiceRecord, InvoiceRecordLine } from '../domain/invoice-record.ts';
import type { CustomerMeters, MeterReading, MeterSelection } from '../domain/meters.ts';
import type { Subscription } from '../domain/subscription.ts';
import { anyone, visibleFeatures } from './access.ts';
import type { OwnedKey, SequencedKey } from './node-id.ts';
import { oncePerOperation } from './once-per-operation.ts';

const tenantIdOf = (context: Context): string => anyone(context).tenantId;

/** The tenant's features and plans. */
export const catalogOf = oncePerOperation((context) => {
  const { catalogs, database } = context.services;
  return catalogs.current(database.query, tenantIdOf(context));
});

export const tenantOf = oncePerOperation((context) => findTenant(context.services, tenantIdOf(context)));

export const alertCursorOf = oncePerOperation((context) => context.services.streams.alertCursor(tenantIdOf(context)));

/** By id; null for one that is not the tenant's, or not there. */
export const customers = oncePerOperation(
  (context) =>
    new DataLoader<string, Customer | null>(async (ids) => {
      const found = await findCustomers(context.services, tenantIdOf(context), ids);
      return inOrder(ids, found, (customer) => customer.id);
    }),
);

export const apiKeys = oncePerOperation(
  (context) =>
    new DataLoader(async (ids: readonly string[]) => {
      const found = await findApiKeys(context.services, tenantIdOf(context), ids);
      return inOrder(ids, found, (apiKey) => apiKey.id);
    }),
);

const spellKey = ({ customerId, sequence }: SequencedKey): string => `${customerId} ${sequence}`;

export const alerts = oncePerOperation(
  (context) =>
    new DataLoader(
      async (keys: readonly SequencedKey[]) => {
        const found = await findAlerts(context.services, tenantIdOf(context), keys);
        return inOrder(keys.map(spellKey), found, spellKey);
      },
      { cacheKeyFn: spellKey },
    ),
);

export const events = oncePerOperation(
  (context) =>
    new DataLoader(
      async (keys: readonly SequencedKey[]) => {
        const found = await findEvents(context.services, tenantIdOf(context), keys);
        return inOrder(keys.map(spellKey), found, spellKey);
      },
      { cacheKeyFn: spellKey },
    ),
);

const spellOwned = ({ customerId, id }: OwnedKey): string => `${customerId} ${id}`;

export const grants = oncePerOperation(
  (context) =>
    new DataLoader(
      async (keys: readonly OwnedKey[]) => {
        const found = await findGrants(context.services, tenantIdOf(context), keys);
        return inOrder(keys.map(spellOwned), found, ({ customerId, grant }) => `${customerId} ${grant.id}`);
      },
      { cacheKeyFn: spellOwned },
    ),
);

/** What moved at a sequence of a customer: empty where nothing did. */
export const postedLines = oncePerOperation(
  (context) =>
    new DataLoader<SequencedKey, readonly PostedLine[], string>(
      async (keys) => {
        const byEntry = grouped(await findLines(context.services, tenantIdOf(context), keys), spellKey);
        return keys.map((key) => byEntry.get(spellKey(key)) ?? []);
      },
      { cacheKeyFn: spellKey },
    ),
);

/** The lines of an invoice, in order. */
export const invoiceLines = oncePerOperation(
  (context) =>
    new DataLoader<Pick<InvoiceRecord, 'customerId' | 'number'>, readonly InvoiceRecordLine[], number>(
      async (invoices) => {
        const lines = await findInvoiceLines(context.services, tenantIdOf(context), invoices);
        const byNumber = grouped(lines, ({ number }) => String(number));
        return invoices.map(({ number }) => byNumber.get(String(number)) ?? []);
      },
      { cacheKeyFn: ({ number }) => number },
    ),
);

/** The wallets of a customer, by currency. */
export const wallets = oncePerOperation(
  (context) =>
    new DataLoader<string, readonly WalletRecord[]>(async (ids) => {
      const byCustomer = grouped(await findWallets(context.services, tenantIdOf(context), ids), (w) => w.customerId);
      return ids.map((id) => byCustomer.get(id) ?? []);
    }),
);

/** The subscription that pays for a customer; null for none. */
export const subscriptions = oncePerOperation(
  (context) =>
    new DataLoader<string, Subscription | null>(async (ids) => {
      const found = await findSubscriptions(context.services, tenantIdOf(context), ids);
      const byCustomer = new Map(found.map(({ customerId, subscription }) => [customerId, subscription]));
      return ids.map((id) => byCustomer.get(id) ?? null);
    }),
);

const metersLoader = oncePerOperation(
  (context) =>
    new DataLoader<MeterSelection, CustomerMeters | null, string>(
      async (selections) => {
        const read = await context.services.usageReader.read(tenantIdOf(context), unionByCustomer(selections));
        return selections.map(({ customerId }) => read.get(customerId) ?? null);
      },
      { cacheKeyFn: ({ customerId, featureKeys }) => JSON.stringify([customerId, featureKeys]) },
    ),
);

/**
 * The meters of a customer that the viewer may see.
 *
 * @param featureKeys Which of them, in catalog order; null for all. Those that don't exist are left out.
 * @returns null for a customer who is not the tenant's, or not there.
 */
export async function metersOf(
  context: Context,
  customerId: string,
  featureKeys: readonly string[] | null,
): Promise<readonly MeterReading[] | null> {
  const wanted = narrowed(featureKeys, visibleFeatures(anyone(context)));
  const read = await metersLoader(context).load({ customerId, featureKeys: wanted });
  if (!read) return null;
  return read.meters.filter(({ usage: { feature } }) =>
    wanted === null ? feature.archivedAtMs === null : wanted.includes(feature.key),
  );
}

/** What is in both lists, where null is everything. */
export function narrowed(asked: readonly string[] | null, visible: readonly string[] | null): readonly string[] | null {
  if (asked === null || visible === null) return asked ?? visible;
  return asked.filter((key) => visible.includes(key));
}

/** One selection a customer: all that any of the selections asks for. */
function unionByCustomer(selections: readonly MeterSelection[]): readonly MeterSelection[] {
  const wanted = new Map<string, { isAll: boolean; readonly keys: Set<string> }>();
  for (const { customerId, featureKeys } of selections) {
    const { isAll, keys } = wanted.get(customerId) ?? { isAll: false, keys: new Set<string>() };
    for (const key of featureKeys ?? []) keys.add(key);
    wanted.set(customerId, { isAll: isAll || featureKeys === null, keys });
  }
  return [...wanted].map(([customerId, { isAll, keys }]) =>
    isAll ? { customerId, featureKeys: null, besides: [...keys] } : { customerId, featureKeys: [...keys] },
  );
}

/** A loader answers by position; null where nothing was found. */
function inOrder<T>(keys: readonly string[], found: readonly T[], keyOf: (value: T) => string): (T | null)[] {
  const byKey = new Map(found.map((value) => [keyOf(value), value]));
  return keys.map((key) => byKey.get(key) ?? null);
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
