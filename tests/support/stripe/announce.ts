/** announce — what happened, as an event that can be listed and is sent to whoever listens. */
import Stripe from 'stripe';
import type { Account, Event } from './account.ts';
import { present } from './present.ts';
import { TYPES } from './types.ts';

type Tagged = { readonly object: string };

/**
 * @param row      The object as it is now; the event keeps a copy, for later events tell what became of it.
 * @param previous What changed fields were before, in `*.updated`.
 */
export function announce(account: Account, type: string, row: Tagged, previous?: object): void {
  const { world } = account;
  const object = present(account, row);
  const checked = TYPES[row.object];
  if (checked) world.validator.checkObject(checked, object);
  const event = {
    id: account.newId('evt'),
    object: 'event',
    api_version: Stripe.API_VERSION,
    created: account.now(),
    data: { object, ...(previous ? { previous_attributes: previous } : {}) },
    livemode: false,
    pending_webhooks: 0,
    request: { id: world.request?.id ?? null, idempotency_key: world.request?.idempotencyKey ?? null },
    type,
    ...(account.isConnected ? { account: account.id } : {}),
  } as Event;
  world.validator.checkObject('Events:EventBase', event);
  account.events.add(event);
  for (const listen of world.listeners) listen(event, account);
}

/** What is undefined is left as it is. */
export type Changes<Row> = { [Field in keyof Row]?: Row[Field] | undefined };

/** Changes a row and tells of it, where anything has changed. */
export function change<Row extends Tagged>(account: Account, type: string, row: Row, changes: Changes<Row>): Row {
  const previous: { [field: string]: unknown } = {};
  for (const [field, value] of Object.entries(changes)) {
    const before = row[field as keyof Row];
    if (value === undefined || JSON.stringify(before) === JSON.stringify(value)) continue;
    previous[field] = present(account, before);
    row[field as keyof Row] = value as Row[keyof Row];
  }
  if (Object.keys(previous).length > 0) announce(account, type, row, previous);
  return row;
}
