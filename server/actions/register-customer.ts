/** register-customer — makes a customer known by its reference, or brings what is known up to date. */
import { insertCustomer, lockCustomer } from '../db/queries/customers.ts';
import { tenantById } from '../db/queries/tenants.ts';
import { type Customer, currentPlanOf, customerIdOf } from '../domain/customer.ts';
import { MeterError, planNotFound } from '../domain/errors.ts';
import { allocatesCredits, type Catalog, liveKeys, livePlan, type Plan } from '../domain/plan.ts';
import { withPlan } from '../domain/plan-change.ts';
import type { Tenant } from '../domain/tenant.ts';
import { saveChange, whenSettled } from './change-customer.ts';
import type { Deps } from './deps.ts';

/** Fields left out stay as they are; null clears. */
export type Registration = {
  readonly referenceId: string;
  /** `user` for a new customer who does not say. */
  readonly referenceType?: string;
  readonly name?: string | null;
  readonly email?: string | null;
  /** The tenant's default plan for a new customer who does not say. */
  readonly planKey?: string;
  /** The tenant's for a new customer who does not say. */
  readonly timeZone?: string;
  /** Where the customer's own periods are counted from: the instant of its registration for one who does not say. */
  readonly anchorAtMs?: number;
  readonly metadata?: unknown;
};

/** What the caller's key is good for. */
export type RegistrationRights = { readonly mayChangePlan: boolean };

/**
 * Upserts by reference: as often as one likes, and by several callers at once.
 *
 * @throws {MeterError} `PLAN_NOT_FOUND`; `FORBIDDEN` for another plan where the caller may not change plans.
 */
export async function registerCustomer(
  deps: Deps,
  tenantId: string,
  registration: Registration,
  rights: RegistrationRights,
): Promise<Customer> {
  const id = customerIdOf(tenantId, registration.referenceId);
  const catalog = await deps.catalogs.current(deps.database.query, tenantId);
  return whenSettled(deps, async (tx, nowMs) => {
    const known = await lockCustomer(tx, tenantId, id);
    if (known) return saveChange(tx, known, updated(known, registration, catalog, rights, nowMs), nowMs);
    const fresh = newCustomer(await tenantById(tx, tenantId), registration, catalog, nowMs);
    if (await insertCustomer(tx, fresh, allocatesCredits(catalog))) return { customer: fresh, isNews: false };
    const raced = await lockCustomer(tx, tenantId, id); // somebody else registered it in between
    if (!raced) throw new Error(`customer ${id} is neither there nor new`);
    return saveChange(tx, raced, updated(raced, registration, catalog, rights, nowMs), nowMs);
  });
}

function newCustomer(tenant: Tenant, registration: Registration, catalog: Catalog, nowMs: number): Customer {
  const { referenceId } = registration;
  if (registration.planKey !== undefined) knownPlan(registration.planKey, catalog);
  const planKey = registration.planKey ?? catalog.defaultPlanKey;
  return {
    id: customerIdOf(tenant.id, referenceId),
    tenantId: tenant.id,
    referenceId,
    referenceType: registration.referenceType ?? 'user',
    name: registration.name ?? null,
    email: registration.email ?? null,
    planKey,
    planVersion: (planKey === null ? null : catalog.plans.get(planKey)?.version) ?? null,
    pendingPlan: null,
    timeZone: registration.timeZone ?? tenant.timeZone,
    anchorAtMs: registration.anchorAtMs ?? nowMs,
    anchorTimeZone: null,
    metadata: registration.metadata ?? null,
    overrides: new Map(),
    mutes: [],
    sequence: 0n,
    createdAtMs: nowMs,
  };
}

/** Another plan than the one it has holds at once, in its newest version; the same one leaves everything as it is. */
function updated(
  known: Customer,
  { planKey, ...others }: Registration,
  catalog: Catalog,
  rights: RegistrationRights,
  nowMs: number,
): Customer {
  const customer = { ...known, ...others, ...anchorZone(known, others) };
  const held = currentPlanOf(known, nowMs);
  if (planKey === undefined || planKey === held.planKey) return customer;
  const plan = knownPlan(planKey, catalog);
  if (!rights.mayChangePlan) throw mayNotChangePlan(known.referenceId, held.planKey, planKey);
  return withPlan(customer, catalog, plan, 'immediately', nowMs);
}

/** A start that somebody names is by the customer's own clocks; the one that it has stays what it is. */
const anchorZone = (known: Customer, { anchorAtMs }: Pick<Registration, 'anchorAtMs'>) =>
  anchorAtMs === undefined || anchorAtMs === known.anchorAtMs ? {} : { anchorTimeZone: null };

function knownPlan(planKey: string, catalog: Catalog): Plan {
  const plan = livePlan(catalog, planKey);
  if (!plan) throw planNotFound(planKey, liveKeys(catalog.plans));
  return plan;
}

const mayNotChangePlan = (referenceId: string, planKey: string | null, wanted: string): MeterError =>
  new MeterError(
    'FORBIDDEN',
    `Customer "${referenceId}" has plan "${planKey}" and this key may not change it to "${wanted}": use a key with scope "admin", or leave planKey out.`,
  );
