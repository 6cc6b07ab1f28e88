/** billing-effects — what payment brings about, by the engine's own verbs and the actions that everybody else uses. */
import { followSubscription } from './actions/follow-subscription.ts';
import type { BillingEffects, OfCustomer } from './billing/effects.ts';
import type { Services } from './context.ts';
import { customersById } from './db/queries/customers.ts';
import { grantsByKey } from './db/queries/grants.ts';
import { walletsOf } from './db/queries/wallets.ts';

/** @param graceMs How long a customer whose invoice is open keeps its plan. */
export function billingEffects(services: Omit<Services, 'biller'>, graceMs: number): BillingEffects {
  const { database, engine } = services;
  const known = async ({ tenantId, customerId }: OfCustomer) =>
    (await customersById(database.db, tenantId, [customerId]))[0] ?? null;
  const named = async (of: OfCustomer, idempotencyKey: string | null) => {
    const customer = await known(of);
    if (!customer) throw new Error(`customer ${of.customerId} has an account and is not there`);
    const { tenantId, id: customerId, referenceId } = customer;
    return { tenantId, customerId, referenceId, idempotencyKey };
  };
  return {
    hasCustomer: async (of) => (await known(of)) !== null,
    followSubscription: (of) => followSubscription(services, of, graceMs),
    grantUnits: async (of, { grantId, featureKey, units, idempotencyKey }) => {
      await engine.execute({
        kind: 'grant',
        ...(await named(of, idempotencyKey)),
        grantId,
        featureKey,
        source: 'purchase',
        amount: units,
        priority: null,
        effectiveFromMs: null,
        expiresAtMs: null,
        recurring: null,
        settlesOverage: false,
      });
    },
    unitsLeft: async ({ tenantId, customerId }, id) => {
      const [owned] = await grantsByKey(database.db, tenantId, [{ customerId, id }]);
      return owned?.grant ?? { amount: 0n, remaining: 0n };
    },
    takeUnits: async (of, { grantId, units, idempotencyKey }) => {
      await engine.execute({ kind: 'void-grant', ...(await named(of, idempotencyKey)), grantId, units });
    },
    voidGrant: async (of, grantId) => {
      await engine.execute({ kind: 'void-grant', ...(await named(of, null)), grantId });
    },
    moveMoney: async (of, { currency, amount, idempotencyKey }) => {
      await engine.execute({ kind: 'top-up', ...(await named(of, idempotencyKey)), currency, amount });
    },
    balanceOf: async ({ tenantId, customerId }, currency) => {
      const wallets = await walletsOf(database.query, tenantId, [customerId]);
      return wallets.find((wallet) => wallet.currency === currency)?.balance ?? 0n;
    },
    settleTopUp: async (of, { currency, sequence, outcome }) => {
      const request = { kind: 'settle-top-up' as const, ...(await named(of, null)), currency, sequence, outcome };
      return !(await engine.execute(request)).replayed;
    },
  };
}
