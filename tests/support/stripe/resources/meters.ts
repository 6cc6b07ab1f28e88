/** meters — what usage is counted by. All but the name is fixed for ever; a deactivated one takes no events. */
import type Stripe from 'stripe';
import type { Account, Meter } from '../account.ts';
import { announce, change } from '../announce.ts';
import { page, pageInOrder } from '../page.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { summariesOf } from '../summaries.ts';

/** Of an event name, and of an identifier. */
export const NAME_CHARACTERS_MAX = 100;

export const meterRoutes = [
  route<Stripe.Billing.MeterCreateParams>('POST /v1/billing/meters', create),
  route('GET /v1/billing/meters/{}', ({ account, id }) => account.meters.get(id)),
  route<Stripe.Billing.MeterUpdateParams>('POST /v1/billing/meters/{}', ({ account, params, id }) =>
    change(account, 'billing.meter.updated', account.meters.get(id), {
      display_name: params.display_name,
      updated: account.now(),
    }),
  ),
  route('POST /v1/billing/meters/{}/deactivate', ({ account, id }) => switchTo(account, id, 'inactive')),
  route('POST /v1/billing/meters/{}/reactivate', ({ account, id }) => switchTo(account, id, 'active')),
  route<Stripe.Billing.MeterListParams>('GET /v1/billing/meters', ({ account, params, url }) => {
    const { status } = params;
    return page(
      account.meters.all((meter) => status === undefined || meter.status === status),
      params,
      url,
    );
  }),
  route<Stripe.Billing.MeterListEventSummariesParams>(
    'GET /v1/billing/meters/{}/event_summaries',
    ({ account, params, id, url }) => pageInOrder(summariesOf(account, account.meters.get(id), params), params, url),
  ),
];

/** The one that takes events of this name. */
export const activeMeter = (account: Account, eventName: string): Meter | undefined =>
  account.meters.all(({ event_name, status }) => event_name === eventName && status === 'active')[0];

function create({ account, params }: Call<Stripe.Billing.MeterCreateParams>): Meter {
  const { event_name, display_name, default_aggregation, customer_mapping, value_settings, event_time_window } = params;
  if (event_name.length > NAME_CHARACTERS_MAX)
    throw invalid(`Must be at most ${NAME_CHARACTERS_MAX} characters.`, { param: 'event_name' });
  if (activeMeter(account, event_name)) {
    throw invalid(`An active meter already exists for event name ${event_name}.`, {
      param: 'event_name',
      code: 'resource_already_exists',
    });
  }
  const meter: Meter = {
    id: account.newId('mtr_test'),
    object: 'billing.meter',
    created: account.now(),
    customer_mapping: customer_mapping ?? { event_payload_key: 'stripe_customer_id', type: 'by_id' },
    default_aggregation,
    display_name,
    event_name,
    event_time_window: event_time_window ?? null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: account.now(),
    value_settings: value_settings ?? { event_payload_key: 'value' },
  };
  announce(account, 'billing.meter.created', account.meters.add(meter));
  return meter;
}

function switchTo(account: Account, id: string, status: 'active' | 'inactive'): Meter {
  const meter = account.meters.get(id);
  if (meter.status === status) throw invalid(`The meter is already ${status}.`);
  if (status === 'active' && activeMeter(account, meter.event_name))
    throw invalid(`An active meter already exists for event name ${meter.event_name}.`);
  meter.status_transitions = { deactivated_at: status === 'inactive' ? account.now() : null };
  const verb = status === 'active' ? 'reactivated' : 'deactivated';
  return change(account, `billing.meter.${verb}`, meter, { status, updated: account.now() });
}
