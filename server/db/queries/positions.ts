/** positions — how far tenants and customers have come: what a poll compares. */
import type { Query } from '../client.ts';

/** How many alerts each tenant has had: the position of the newest. */
export async function alertSequences(query: Query, tenantIds: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const text = 'SELECT id, alert_sequence FROM tenants WHERE id = ANY($1::text[]::uuid[])';
  const rows = await query<{ id: string; alert_sequence: string }>({ text, params: [tenantIds] });
  return new Map(rows.map((row) => [row.id, BigInt(row.alert_sequence)]));
}

/** Where each customer's sequence stands. */
export async function customerSequences(
  query: Query,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  const text = 'SELECT id, sequence FROM customers WHERE id = ANY($1::text[]::uuid[])';
  const rows = await query<{ id: string; sequence: string }>({ text, params: [customerIds] });
  return new Map(rows.map((row) => [row.id, BigInt(row.sequence)]));
}

/** The version of each tenant's features and plans. */
export async function catalogVersions(
  query: Query,
  tenantIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const text = 'SELECT id, catalog_version FROM tenants WHERE id = ANY($1::text[]::uuid[])';
  const rows = await query<{ id: string; catalog_version: string }>({ text, params: [tenantIds] });
  return new Map(rows.map((row) => [row.id, Number(row.catalog_version)]));
}
