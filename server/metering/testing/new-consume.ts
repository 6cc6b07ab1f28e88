/** new-consume — a call for one unit of `calls`, now, all or nothing; a test says what is different. */
import { ONE } from '../../domain/units.ts';
import type { ConsumeRequest } from '../requests.ts';

type Own = Pick<ConsumeRequest, 'tenantId' | 'customerId' | 'referenceId'> & Partial<ConsumeRequest>;

export const newConsume = (own: Own): ConsumeRequest => ({
  kind: 'consume',
  purpose: 'use',
  featureKey: 'calls',
  amount: ONE,
  duration: null,
  mode: 'REJECT',
  overrideKey: null,
  entityId: null,
  occurredAtMs: null,
  idempotencyKey: null,
  properties: null,
  refusal: null,
  ...own,
});
