/**
 * meter-processing — what happens to accepted meter events after a while: they count, or an error report tells of them.
 * A report tells how many failed, and names only some.
 */
import { type Account, isDeleted, type Meter, type ThinEvent } from './account.ts';
import { groupBy } from './group.ts';
import type { MeterEvent } from './meter-ledger.ts';
import { problemOfTime, problemOfValue, takesValue } from './resources/meter-events.ts';
import { activeMeter } from './resources/meters.ts';
import { MINUTE, type Seconds } from './wire.ts';

/** From when an event is accepted until it counts, unless a test settles it before. */
export const PROCESSING_SPAN: Seconds = MINUTE;
/** How many failed events a report names. */
const SAMPLES_MAX = 5;

type Reason = { readonly code: string; readonly message: string; readonly meter: Meter | undefined };
type Failure = Reason & { readonly event: MeterEvent };

/** Processes what was received by then. */
export function processUsage(account: Account, receivedBy: Seconds): void {
  const failures: Failure[] = [];
  for (const event of account.usage.takePending(receivedBy)) {
    if (event.state === 'cancelled') continue;
    const failure = countOrFail(account, event);
    if (!failure) continue;
    event.state = 'refused';
    failures.push({ ...failure, event });
  }
  for (const [meter, failed] of groupBy(failures, (failure) => failure.meter)) report(account, meter, failed);
}

const latestMeter = (account: Account, eventName: string): Meter | undefined =>
  account.meters.all(({ event_name }) => event_name === eventName).at(-1);

function countOrFail(account: Account, event: MeterEvent): Reason | undefined {
  const meter = activeMeter(account, event.eventName) ?? latestMeter(account, event.eventName);
  if (!meter) return { code: 'no_meter', message: `No meter takes ${event.eventName}.`, meter };
  const value = event.payload[meter.value_settings.event_payload_key];
  const problem = problemOf(account, meter, event);
  if (problem) return { ...problem, meter };
  const customer = `${event.payload[meter.customer_mapping.event_payload_key]}`;
  account.usage.count(event, { meter: meter.id, customer, value: takesValue(meter) ? BigInt(value ?? 0) : 1n });
  return undefined;
}

function problemOf(account: Account, meter: Meter, event: MeterEvent): { code: string; message: string } | undefined {
  if (meter.status !== 'active') return { code: 'archived_meter', message: 'The meter is deactivated.' };
  const { event_payload_key: key } = meter.customer_mapping;
  const customer = event.payload[key];
  if (customer === undefined) {
    return { code: 'meter_event_no_customer_defined', message: `Customer mapping key ${key} not found in payload.` };
  }
  if (!isCustomer(account, customer))
    return { code: 'meter_event_customer_not_found', message: `No customer ${customer}.` };
  return problemOfTime(event.timestamp, event.acceptedFor) ?? problemOfValue(meter, event.payload);
}

function isCustomer(account: Account, id: string): boolean {
  const customer = account.customers.find(id);
  return customer !== undefined && !isDeleted(customer);
}

function report(account: Account, meter: Meter | undefined, failures: readonly Failure[]): void {
  const at = new Date(account.now() * 1_000).toISOString();
  const byCode = groupBy(failures, ({ code }) => code);
  const data = {
    developer_message_summary: `There are ${failures.length} invalid events`,
    reason: {
      error_count: failures.length,
      error_types: [...byCode].map(([code, of]) => ({
        code,
        error_count: of.length,
        sample_errors: of.slice(0, SAMPLES_MAX).map(({ message, event }) => ({
          error_message: message,
          request: { identifier: event.identifier },
        })),
      })),
    },
    validation_start: at,
    validation_end: at,
  };
  const envelope = { id: account.newId('evt_test'), object: 'v2.core.event', created: at, livemode: false, data };
  const context = account.isConnected ? { context: account.id } : {};
  const event = meter
    ? { ...envelope, ...context, type: 'v1.billing.meter.error_report_triggered', related_object: relatedTo(meter) }
    : { ...envelope, ...context, type: 'v1.billing.meter.no_meter_found' };
  tell(account, event as ThinEvent);
}

const relatedTo = ({ id }: Meter) => ({ id, type: 'billing.meter', url: `/v1/billing/meters/${id}` });

function tell(account: Account, event: ThinEvent): void {
  const name = event.type === 'v1.billing.meter.no_meter_found' ? 'NoMeterFound' : 'ErrorReportTriggered';
  account.world.validator.checkObject(`V2/Core/Events:V1BillingMeter${name}Event`, event);
  account.thinEvents.add(event);
  for (const listen of account.world.listeners) listen(event, account);
}
