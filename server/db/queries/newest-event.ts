/** newest-event — when a tenant's last event was recorded. */
import type { Database } from '../client.ts';

const NEWEST_EVENT = `
  SELECT recorded_at FROM events WHERE tenant_id = $1 ORDER BY recorded_at DESC LIMIT 1`;

/** In epoch milliseconds; null when there is none. */
export async function newestEventMs({ query }: Database, tenantId: string): Promise<number | null> {
  const [row] = await query<{ recorded_at: Date }>({ text: NEWEST_EVENT, params: [tenantId] });
  return row ? row.recorded_at.getTime() : null;
}
