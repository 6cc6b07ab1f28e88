/** find-events — reads events, under row level security. */
import { type EventFilter, type EventKey, type EventPosition, eventsByKey, eventsPage } from '../db/queries/events.ts';
import type { UsageEvent } from '../domain/event.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

export type { EventFilter };

type Reader = Pick<Deps, 'database'>;

/** In no particular order; those that are not the tenant's, or not there, are missing. */
export const findEvents = (
  { database }: Reader,
  tenantId: string,
  keys: readonly EventKey[],
): Promise<readonly UsageEvent[]> => database.readAs(tenantId, (db) => eventsByKey(db, tenantId, keys));

/** Newest first. */
export const listEvents = (
  { database }: Reader,
  tenantId: string,
  filter: EventFilter,
  request: PageRequest<EventPosition>,
): Promise<Page<UsageEvent>> => database.readAs(tenantId, (db) => eventsPage(db, tenantId, filter, request));
