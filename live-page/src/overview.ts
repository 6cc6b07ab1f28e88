/** overview — what the page reads once before it listens: who is asking, the customers, and what happened last. */
import type { Alert, DateTime, Decimal, MetergraphClient, Usage } from '@metergraph/client-sdk';

/** A meter as it was when the page was opened. */
export type ShownUsage = Usage & {
  /** Of `COUNT` one call is one use: there is no larger amount. */
  readonly feature: { readonly aggregation: 'COUNT' | 'SUM' };
};

export type ShownCustomer = {
  readonly referenceId: string;
  readonly name: string | null;
  readonly planKey: string | null;
  readonly usages: readonly ShownUsage[];
};

export type PastEvent = {
  readonly id: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly amount: Decimal;
  readonly usedAfter: Decimal;
  readonly recordedAt: DateTime;
};

export type Overview = {
  readonly tenantName: string;
  readonly customers: readonly ShownCustomer[];
  /** Newest first. */
  readonly events: readonly PastEvent[];
  /** Newest first. */
  readonly alerts: readonly Alert[];
};

type Answer = {
  readonly viewer: { readonly tenant: { readonly name: string } };
  readonly customers: { readonly nodes: readonly ShownCustomer[] };
  readonly events: { readonly nodes: readonly PastEvent[] };
  readonly alerts: { readonly nodes: readonly Alert[] };
};

export const OVERVIEW = `query LivePage {
  viewer { tenant { name } }
  customers(first: 20) {
    nodes {
      referenceId name planKey
      usages {
        referenceId feature { key displayName unit aggregation } planKey entitled used limit remaining enforcement
        thresholds { kind value falling } price { model unitAmount currency packageSize } period { start end } credits wallet { amount currency } overage
        estimatedCost { amount currency } cursor
      }
    }
  }
  events(first: 20) { nodes { id referenceId featureKey amount usedAfter recordedAt } }
  alerts(first: 10) {
    nodes { id referenceId featureKey threshold { kind value falling } used limit raisedAt acknowledgedAt cursor }
  }
}`;

/** @throws {MetergraphError} `UNAUTHENTICATED` for a key that is refused, `FORBIDDEN` for one that may not read. */
export async function readOverview(client: MetergraphClient, signal: AbortSignal): Promise<Overview> {
  const { viewer, customers, events, alerts } = await client.request<Answer>(OVERVIEW, {}, { signal });
  return {
    tenantName: viewer.tenant.name,
    customers: customers.nodes,
    events: events.nodes,
    alerts: alerts.nodes,
  };
}

/** What a customer is called here: by name, or by the app's own id. */
export function namesOf(customers: readonly ShownCustomer[]): (referenceId: string) => string {
  const names = new Map(customers.map(({ referenceId, name }) => [referenceId, name]));
  return (referenceId) => names.get(referenceId) ?? referenceId;
}
