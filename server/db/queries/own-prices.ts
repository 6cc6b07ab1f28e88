/** own-prices — features that customers have a price of their own for. */
import type { Query } from '../client.ts';

/** What is prepaid is never billed at the period's end. */
const OWN_PRICED = `
  SELECT DISTINCT o.key FROM customers c CROSS JOIN LATERAL jsonb_each(c.overrides) AS o (key, fields)
  WHERE c.tenant_id = $1::uuid AND jsonb_typeof(o.fields -> 'price') = 'object' AND o.fields ->> 'billing' IS DISTINCT FROM 'prepaid'`;

export async function ownPricedFeatures(query: Query, tenantId: string): Promise<ReadonlySet<string>> {
  const rows = await query<{ readonly key: string }>({ text: OWN_PRICED, params: [tenantId] });
  return new Set(rows.map(({ key }) => key));
}
