/** find-entity-usage — reads what the entities under a customer have used, under row level security. */
import { entityTotals, entityTotalsPage, type MeterPeriod } from '../db/queries/entity-usage.ts';
import { type EntityUsage, entityUsageOf } from '../domain/entity-usage.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Usage } from '../domain/usage.ts';
import type { Deps } from './deps.ts';

type Reader = Pick<Deps, 'database'>;

/** By entity id: those that used or reserved something in the running period of the customer's meter. */
export async function listEntityUsages(
  { database }: Reader,
  usage: Usage,
  request: PageRequest<string>,
): Promise<Page<EntityUsage>> {
  const page = await database.readAs(usage.tenantId, (db) => entityTotalsPage(db, periodOf(usage), request));
  return { ...page, nodes: page.nodes.map((totals) => entityUsageOf(usage, totals)) };
}

/** One entity's; zeros for one that used nothing in the running period. */
export async function findEntityUsage({ database }: Reader, usage: Usage, entityId: string): Promise<EntityUsage> {
  const totals = await database.readAs(usage.tenantId, (db) => entityTotals(db, periodOf(usage), entityId));
  return entityUsageOf(usage, totals ?? { entityId, used: 0n, held: 0n });
}

const periodOf = ({ tenantId, customerId, feature, period }: Usage): MeterPeriod => ({
  tenantId,
  customerId,
  featureKey: feature.key,
  periodStartMs: period.startMs,
});
