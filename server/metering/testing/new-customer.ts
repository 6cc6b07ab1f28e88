/** new-customer — a customer as decisions see it, who has done nothing yet; a test says what is different. */
import { type CustomerState, noHoldings } from '../state.ts';

type Own = Pick<CustomerState, 'id' | 'tenantId'> & Partial<CustomerState>;

export const newCustomer = (own: Own): CustomerState => ({
  referenceId: own.id,
  planKey: null,
  planVersion: null,
  pendingPlan: null,
  timeZone: 'UTC',
  anchorAtMs: own.createdAtMs ?? 0,
  anchorTimeZone: null,
  createdAtMs: 0,
  overrides: new Map(),
  mutes: [],
  limitsSequence: 0n,
  revision: 0n,
  sequenceBefore: own.sequence ?? 0n,
  sequence: 0n,
  rateWindows: new Map(),
  prepaid: false,
  dueAtMs: null,
  ...noHoldings(),
  ...own,
});
