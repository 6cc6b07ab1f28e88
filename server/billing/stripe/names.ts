/** names — what things are called at Stripe. Derived, so that whoever makes a name again makes the same. */
import { hash } from 'node:crypto';
import type { BillingInterval } from '../../domain/plan.ts';

/** What Stripe takes. */
const EVENT_NAME_MAX = 100;
const LOOKUP_KEY_MAX = 200;
const HASH_LENGTH = 20;

/** The start of every name of a tenant's. */
export const markOf = (tenantId: string): string => `mg_${tenantId.replaceAll('-', '').slice(0, 12)}`;

export const featureProductId = (tenantId: string, featureKey: string): string => `${markOf(tenantId)}_f_${featureKey}`;

export const planProductId = (tenantId: string, planKey: string): string => `${markOf(tenantId)}_p_${planKey}`;

/** The event name of a feature's meter. */
export const meterEventName = (tenantId: string, featureKey: string): string =>
  fitting(`${markOf(tenantId)}_${featureKey}`, EVENT_NAME_MAX);

/** The lookup key of what a plan costs each interval. */
export const basePriceKey = (tenantId: string, planKey: string, interval: BillingInterval, currency: string): string =>
  lookupKey(tenantId, [planKey, 'base', interval, currency]);

/** The lookup key of what a feature's overage costs on a plan that is paid each interval. */
export const meteredPriceKey = (
  tenantId: string,
  planKey: string,
  featureKey: string,
  interval: BillingInterval,
): string => lookupKey(tenantId, [planKey, featureKey, interval]);

/** Parts may hold a colon themselves, which no part of another key may be taken for. */
const lookupKey = (tenantId: string, parts: readonly string[]): string =>
  fitting([markOf(tenantId), ...parts.map((part) => part.replaceAll(':', '%3A'))].join(':'), LOOKUP_KEY_MAX);

/** The name, or as much of it as fits with a hash of the whole. */
function fitting(name: string, max: number): string {
  if (name.length <= max) return name;
  return `${name.slice(0, max - HASH_LENGTH - 1)}_${hash('sha256', name).slice(0, HASH_LENGTH)}`;
}
