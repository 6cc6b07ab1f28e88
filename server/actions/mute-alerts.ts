/** mute-alerts — keeps alerts of a customer from being told; they are stored all the same. */
import type { Customer } from '../domain/customer.ts';
import { invalidInput } from '../domain/errors.ts';
import { type Mute, muted } from '../domain/mute.ts';
import { changeCustomer } from './change-customer.ts';
import type { Deps } from './deps.ts';
import { refuseUnknownFeatures } from './refuse-unknown-features.ts';

/**
 * Mutes one feature, or all of them, in place of what was said of the same before.
 *
 * @throws {MeterError} `CUSTOMER_NOT_FOUND`, `FEATURE_NOT_FOUND`; `INVALID_INPUT` for an end that is past.
 */
export async function muteAlerts(
  deps: Deps,
  tenantId: string,
  { referenceId, ...mute }: Mute & { readonly referenceId: string },
): Promise<Customer> {
  const { featureKey, untilMs } = mute;
  const catalog = await deps.catalogs.current(deps.database.query, tenantId);
  return changeCustomer(deps, tenantId, referenceId, (customer) => {
    const nowMs = deps.clock.now();
    if (featureKey !== null) refuseUnknownFeatures([featureKey], catalog, () => ['input', 'featureKey']);
    if (untilMs !== null && untilMs <= nowMs) throw isPast(untilMs, nowMs);
    return { ...customer, mutes: muted(customer.mutes, mute, nowMs) };
  });
}

const isPast = (untilMs: number, nowMs: number) =>
  invalidInput(
    ['input', 'until'],
    `\`until\` is ${iso(untilMs)}, and it is ${iso(nowMs)} now; write a later instant, or leave it out to mute until unmuteAlerts.`,
  );

const iso = (atMs: number): string => new Date(atMs).toISOString();
