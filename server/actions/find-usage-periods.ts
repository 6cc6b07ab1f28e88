/** find-usage-periods — reads what was counted in the periods of a meter, under row level security. */
import { type PeriodsOf, type UsagePeriod, usagePeriodsPage } from '../db/queries/usage-periods.ts';
import { queryIn } from '../db/query-in.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

export type { UsagePeriod } from '../db/queries/usage-periods.ts';

/** The newest first, as they are stored: one that ended a moment ago may not be closed yet. */
export const listUsagePeriods = (
  { database }: Pick<Deps, 'database'>,
  of: PeriodsOf,
  request: PageRequest<number>,
): Promise<Page<UsagePeriod>> => database.readAs(of.tenantId, (db) => usagePeriodsPage(queryIn(db), of, request));
