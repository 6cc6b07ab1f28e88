/** consume-request — the call of the load, as the engine hears it, for programs that have no door. */
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { ONE } from '../../server/domain/units.ts';
import type { ConsumeRequest } from '../../server/metering/requests.ts';
import { FEATURE_KEY, referenceOf } from '../catalog.ts';

/** @param index Of the customer. */
export function consumeRequest(tenantId: string, index: number, idempotencyKey: string | null): ConsumeRequest {
  const referenceId = referenceOf(index);
  return {
    kind: 'consume',
    purpose: 'use',
    tenantId,
    customerId: customerIdOf(tenantId, referenceId),
    referenceId,
    featureKey: FEATURE_KEY,
    amount: ONE,
    duration: null,
    mode: 'REJECT',
    overrideKey: null,
    entityId: null,
    occurredAtMs: null,
    idempotencyKey,
    properties: null,
    refusal: null,
  };
}

/** The only tenant of a seeded database. */
export async function tenantIdIn({ query }: Database): Promise<string> {
  const [tenant] = await query<{ id: string }>({ text: 'SELECT id FROM tenants', params: [] });
  if (!tenant) throw new Error('the database has no tenant');
  return tenant.id;
}
