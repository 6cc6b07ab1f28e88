/** overview — what the page reads once before it listens: who is asking, the customers, and what happened last. */
import type { Alert, DateTime, Decimal, MetergraphClient, Usage } from '@metergraph/client-sdk';

/** A meter as it was when the page was opened. */
export type ShownUsage = Usage & {
  /** Of `COUNT` one call is one use: there is no larger amount. */
  readonly feature: { readonly aggregation: 'COUNT' | 'SUM' };
};

/** With the meters of what its plan or own limits name. */
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

/** As the gateway answers: meters of every feature, and beside them which of those the customer may use at all. */
export type CustomerAnswer = ShownCustomer & {
  readonly limits: readonly { readonly feature: { readonly key: string }; readonly entitled: boolean }[];
};

type Answer = {
  readonly viewer: { readonly tenant: { readonly name: string } };
  readonly customers: { readonly nodes: readonly CustomerAnswer[] };
  readonly events: { readonly nodes: readonly PastEvent[] };
  readonly alerts: { readonly nodes: readonly Alert[] };
};

export const OVERVIEW = `query LivePage {
  viewer { tenant { name } }
  customers(first: 20) {
    nodes {
      referenceId name planKey limits { feature { key } entitled }
      usages {
        referenceId feature { key displayName unit aggregation } planKey used limit remaining enforcement
        thresholds { kind value } period { start end } credits wallet { amount currency } overage
        estimatedCost { amount currency } cursor
      }
    }
  }
  events(first: 20) { nodes { id referenceId featureKey amount usedAfter recordedAt } }
  alerts(first: 10) {
    nodes { id referenceId featureKey threshold { kind value } used limit raisedAt acknowledgedAt cursor }
  }
}`;

/** @throws {MetergraphError} `UNAUTHENTICATED` for a key that is refused, `FORBIDDEN` for one that may not read. */
export async function readOverview(client: MetergraphClient, signal: AbortSignal): Promise<Overview> {
  const { viewer, customers, events, alerts } = await client.request<Answer>(OVERVIEW, {}, { signal });
  return {
    tenantName: viewer.tenant.name,
    customers: customers.nodes.map(shown),
    events: events.nodes,
    alerts: alerts.nodes,
  };
}

/** A meter of what is not in the plan has nothing to count: each call is denied. */
export function shown({ limits, ...customer }: CustomerAnswer): ShownCustomer {
  const entitled = new Set(limits.filter((limit) => limit.entitled).map(({ feature }) => feature.key));
  return { ...customer, usages: customer.usages.filter(({ feature }) => entitled.has(feature.key)) };
}

/** What a customer is called here: by name, or by the app's own id. */
export function namesOf(customers: readonly ShownCustomer[]): (referenceId: string) => string {
  const names = new Map(customers.map(({ referenceId, name }) => [referenceId, name]));
  return (referenceId) => names.get(referenceId) ?? referenceId;
}
