/** events — what has happened, for whoever missed the webhook: 30 days of it. */
import type Stripe from 'stripe';
import type { Event } from '../account.ts';
import { page } from '../page.ts';
import { type Call, route } from '../route.ts';
import { DAY, type Seconds } from '../wire.ts';

const KEPT_SPAN: Seconds = 30 * DAY;

export const eventRoutes = [
  route('GET /v1/events/{}', ({ account, id }) => account.events.get(id)),
  route<Stripe.EventListParams>('GET /v1/events', list),
  route('GET /v2/core/events/{}', ({ account, id }) => account.thinEvents.get(id)),
];

function list({ account, params, url }: Call<Stripe.EventListParams>): unknown {
  const { type, types } = params;
  const wanted = type === undefined ? types : [type];
  const fits = (event: Event) =>
    event.created > account.now() - KEPT_SPAN &&
    (wanted === undefined || wanted.some((pattern) => matches(pattern, event.type)));
  return page(account.events.all(fits), params, url);
}

/** `invoice.*` is every type that begins so. */
const matches = (pattern: string, type: string): boolean =>
  pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
