/** settler — brings one customer up to now without asking for anything else, as every call does first. */
import type { Customer } from '../domain/customer.ts';
import type { SettleRequest } from './requests.ts';

/** @throws {MeterError} what the engine refuses calls with, like `SHUTTING_DOWN`. */
export const settlerOf =
  (engine: { readonly execute: (request: SettleRequest) => Promise<unknown> }) =>
  async ({ tenantId, id, referenceId }: Pick<Customer, 'tenantId' | 'id' | 'referenceId'>): Promise<void> => {
    await engine.execute({ kind: 'settle', tenantId, customerId: id, referenceId, idempotencyKey: null });
  };
