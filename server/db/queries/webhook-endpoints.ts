/** webhook-endpoints — rows of endpoints in, domain values out; their secrets only where they are changed. */
import { and, asc, count, eq, sql } from 'drizzle-orm';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts';
import type { WebhookSecret } from '../../domain/webhook-secret.ts';
import type { Db } from '../client.ts';
import { alertCursors, webhookDeliveries, webhookEndpoints } from '../tables/index.ts';

/** What a reader may see. */
const COLUMNS = {
  id: webhookEndpoints.id,
  tenantId: webhookEndpoints.tenantId,
  kind: webhookEndpoints.kind,
  url: webhookEndpoints.url,
  eventTypes: webhookEndpoints.eventTypes,
  managed: webhookEndpoints.managed,
  createdAt: webhookEndpoints.createdAt,
  disabledAt: webhookEndpoints.disabledAt,
  disabledReason: webhookEndpoints.disabledReason,
  failingSince: webhookEndpoints.failingSince,
} as const;

/** By which an endpoint is found again in a list. */
export type EndpointPosition = { readonly createdAtMs: number; readonly id: string };

/** The oldest first. */
export async function webhookEndpointsPage(
  db: Db,
  tenantId: string,
  request: PageRequest<EndpointPosition>,
): Promise<Page<WebhookEndpoint>> {
  const { after } = request;
  const isAfter =
    after &&
    sql`(${webhookEndpoints.createdAt}, ${webhookEndpoints.id}) > (${new Date(after.createdAtMs).toISOString()}::timestamptz, ${after.id}::uuid)`;
  const rows = await db
    .select(COLUMNS)
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.tenantId, tenantId), isAfter ?? undefined))
    .orderBy(asc(webhookEndpoints.createdAt), asc(webhookEndpoints.id))
    .limit(rowsFor(request));
  return pageOf(rows.map(endpointFromRow), request);
}

export async function countWebhookEndpoints(db: Db, tenantId: string): Promise<number> {
  const [row] = await db
    .select({ count: count() })
    .from(webhookEndpoints)
    .where(eq(webhookEndpoints.tenantId, tenantId));
  return row?.count ?? 0;
}

/** With its secrets, locked until the transaction ends; null when the tenant has no such endpoint. */
export async function lockWebhookEndpoint(
  tx: Db,
  tenantId: string,
  id: string,
): Promise<{ readonly endpoint: WebhookEndpoint; readonly secrets: readonly WebhookSecret[] } | null> {
  const [row] = await tx
    .select({ ...COLUMNS, secrets: webhookEndpoints.secrets })
    .from(webhookEndpoints)
    .where(isEndpoint(tenantId, id))
    .for('update');
  if (!row) return null;
  const secrets = row.secrets.map(({ secret, endsAt }) => ({
    secret,
    endsAtMs: (endsAt && Date.parse(endsAt)) || null,
  }));
  return { endpoint: endpointFromRow(row), secrets };
}

/** From now on the tenant's alerts are followed, if they were not before. */
export async function insertWebhookEndpoint(
  tx: Db,
  endpoint: WebhookEndpoint,
  secrets: readonly WebhookSecret[],
): Promise<void> {
  const { id, tenantId, kind, url, eventTypes, managed, createdAtMs } = endpoint;
  await followAlerts(tx, tenantId);
  await tx.insert(webhookEndpoints).values({
    id,
    tenantId,
    kind,
    url,
    eventTypes: [...eventTypes],
    secrets: stored(secrets),
    managed,
    createdAt: new Date(createdAtMs),
  });
}

const followAlerts = (tx: Db, tenantId: string) =>
  tx
    .insert(alertCursors)
    .values({ tenantId, sequence: sql`(SELECT alert_sequence FROM tenants WHERE id = ${tenantId})` })
    .onConflictDoNothing();

export async function updateWebhookEndpoint(tx: Db, endpoint: WebhookEndpoint): Promise<void> {
  const { id, tenantId, url, eventTypes, disabledAtMs, disabledReason, failingSinceMs } = endpoint;
  const changes = { url, eventTypes: [...eventTypes], disabledReason };
  const instants = { disabledAt: dateOrNull(disabledAtMs), failingSince: dateOrNull(failingSinceMs) };
  await tx
    .update(webhookEndpoints)
    .set({ ...changes, ...instants })
    .where(isEndpoint(tenantId, id));
}

export async function setSecrets(
  tx: Db,
  { tenantId, id }: WebhookEndpoint,
  secrets: readonly WebhookSecret[],
): Promise<void> {
  await tx
    .update(webhookEndpoints)
    .set({ secrets: stored(secrets) })
    .where(isEndpoint(tenantId, id));
}

/** With all that was or would have been sent to it. */
export async function deleteWebhookEndpoint(tx: Db, { tenantId, id }: WebhookEndpoint): Promise<void> {
  await tx.delete(webhookEndpoints).where(isEndpoint(tenantId, id));
  await tx
    .delete(webhookDeliveries)
    .where(and(eq(webhookDeliveries.tenantId, tenantId), eq(webhookDeliveries.endpointId, id)));
}

const isEndpoint = (tenantId: string, id: string) =>
  and(eq(webhookEndpoints.tenantId, tenantId), eq(webhookEndpoints.id, id));

const stored = (secrets: readonly WebhookSecret[]) =>
  secrets.map(({ secret, endsAtMs }) => ({ secret, endsAt: dateOrNull(endsAtMs)?.toISOString() ?? null }));

const dateOrNull = (atMs: number | null): Date | null => (atMs === null ? null : new Date(atMs));

type EndpointRow = Omit<typeof webhookEndpoints.$inferSelect, 'secrets'>;

const endpointFromRow = (row: EndpointRow): WebhookEndpoint => ({
  id: row.id,
  tenantId: row.tenantId,
  kind: row.kind,
  url: row.url,
  eventTypes: row.eventTypes,
  managed: row.managed,
  createdAtMs: row.createdAt.getTime(),
  disabledAtMs: row.disabledAt?.getTime() ?? null,
  disabledReason: row.disabledReason,
  failingSinceMs: row.failingSince?.getTime() ?? null,
});
