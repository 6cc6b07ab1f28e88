/** customers — the companies of the demo. */

import type { Database } from '../db/client.ts';
import { insertCustomer } from '../db/queries/customers.ts';
import { type Customer, customerIdOf } from '../domain/customer.ts';

export type DemoCompany = {
  readonly referenceId: string;
  readonly name: string;
  readonly timeZone: string;
  /** Which of the plans, counted around if there are fewer. */
  readonly plan: number;
  /** How much of a limit it uses in the end: above 1 it would use more than it may. */
  readonly appetite: number;
};

export const DEMO_COMPANIES: readonly DemoCompany[] = [
  { referenceId: 'acme', name: 'Acme', timeZone: 'America/New_York', plan: 1, appetite: 0.72 },
  { referenceId: 'blue-harbor', name: 'Blue Harbor Coffee', timeZone: 'America/Los_Angeles', plan: 0, appetite: 0.35 },
  { referenceId: 'cobalt', name: 'Cobalt Robotics', timeZone: 'Europe/Berlin', plan: 1, appetite: 1.2 },
  { referenceId: 'juniper', name: 'Juniper Post', timeZone: 'Europe/London', plan: 0, appetite: 1.3 },
  { referenceId: 'nimbus', name: 'Nimbus Labs', timeZone: 'Asia/Tokyo', plan: 2, appetite: 0.55 },
  { referenceId: 'tidewater', name: 'Tidewater Freight', timeZone: 'UTC', plan: 0, appetite: 0.93 },
];

/** Registers those that are not there yet, as if they had been since then. @returns each by its customer's id. */
export async function registerCompanies(
  { db }: Database,
  tenantId: string,
  planKeys: readonly string[],
  defaultPlanKey: string | null,
  sinceMs: number,
): Promise<ReadonlyMap<string, DemoCompany>> {
  const companies = new Map<string, DemoCompany>();
  for (const company of DEMO_COMPANIES) {
    const { referenceId, name, timeZone, plan } = company;
    const id = customerIdOf(tenantId, referenceId);
    companies.set(id, company);
    const customer: Customer = {
      id,
      tenantId,
      referenceId,
      referenceType: 'organization',
      name,
      email: null,
      planKey: planKeys[plan % planKeys.length] ?? defaultPlanKey,
      planVersion: null, // whatever the config says now: people edit it to see what happens
      pendingPlan: null,
      timeZone,
      anchorAtMs: sinceMs,
      anchorTimeZone: null,
      metadata: null,
      overrides: new Map(),
      mutes: [],
      sequence: 0n,
      createdAtMs: sinceMs,
    };
    await db.transaction((tx) => insertCustomer(tx, customer, true));
  }
  return companies;
}
