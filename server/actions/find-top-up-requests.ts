/** find-top-up-requests — reads what wallets asked for, under row level security. */
import {
  type TopUpPosition,
  type TopUpRequest,
  type TopUpState,
  topUpRequestsPage,
} from '../db/queries/top-up-requests.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

export type { TopUpRequest, TopUpState } from '../db/queries/top-up-requests.ts';

/** The tenant's, the oldest first; `state` null for all. */
export const listTopUpRequests = (
  { database }: Pick<Deps, 'database'>,
  tenantId: string,
  state: TopUpState | null,
  request: PageRequest<TopUpPosition>,
): Promise<Page<TopUpRequest>> => database.readAs(tenantId, (db) => topUpRequestsPage(db, tenantId, state, request));
