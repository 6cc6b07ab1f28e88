/** load-credits — the credits of features: their totals, and the grants that a batch needs. */
import type { Row } from '../../db/client.ts';
import type { Grant, GrantSource, GrantState } from '../../domain/grant.ts';
import { unitsOf } from '../../domain/units.ts';
import { type CreditAccount, type CustomerState, NO_ACCOUNT } from '../state.ts';
import { type RenewalJson, renewalFromJson } from '../stored-json.ts';
import { iso } from './columns.ts';
import { type Customers, type Look, msOf, rowsAs } from './look.ts';

type CreditRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly live: string;
  readonly allocation_id: string | null;
  readonly rule: string | null;
  readonly sequence: string;
};

const creditAccountFromRow = (row: CreditRow): CreditAccount => ({
  live: unitsOf(row.live),
  allocationId: row.allocation_id,
  rule: row.rule,
  sequence: BigInt(row.sequence),
  grants: new Map(),
});

type GrantRow = {
  readonly customer_id: string;
  readonly id: string;
  readonly feature_key: string;
  readonly source: GrantSource;
  readonly amount: string;
  readonly remaining: string;
  readonly priority: number;
  readonly effective_from: Date;
  readonly expires_at: Date | null;
  readonly created_at: Date;
  readonly state: GrantState;
  readonly renewal: RenewalJson | null;
  readonly renews_at: Date | null;
  readonly origin_id: string | null;
  readonly rolled_over: boolean;
};

const grantFromRow = (row: GrantRow): Grant => ({
  id: row.id,
  featureKey: row.feature_key,
  source: row.source,
  amount: unitsOf(row.amount),
  remaining: unitsOf(row.remaining),
  priority: row.priority,
  effectiveFromMs: row.effective_from.getTime(),
  expiresAtMs: msOf(row.expires_at),
  createdAtMs: row.created_at.getTime(),
  state: row.state,
  renewal: row.renewal && renewalFromJson(row.renewal),
  renewsAtMs: msOf(row.renews_at),
  originId: row.origin_id,
  rolledOver: row.rolled_over,
});

const CREDITS = `
  SELECT b.customer_id, b.feature_key, b.live, b.allocation_id, b.rule, b.sequence
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, feature_key)
  CROSS JOIN LATERAL (
    SELECT * FROM credit_balances WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key LIMIT 1
  ) b`;

const GRANT_COLUMNS = `
  g.customer_id, g.id, g.feature_key, g.source, g.amount, g.remaining, g.priority, g.effective_from, g.expires_at, g.created_at,
  g.state, g.renewal, g.renews_at, g.origin_id, g.rolled_over`;

/** The grants next to burn; and those of the plan, spent or not, and what rolled over: what a change of rule looks at. */
const GRANTS = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, feature_key)
  CROSS JOIN LATERAL (
    (SELECT * FROM grants
     WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND state = 'live'
     ORDER BY priority, expires_at, created_at, id LIMIT $3::integer)
    UNION ALL
    (SELECT * FROM grants
     WHERE customer_id = k.customer_id::uuid AND feature_key = k.feature_key AND state IN ('live', 'spent') AND (source = 'plan' OR rolled_over))
    UNION ALL
    (SELECT a.* FROM credit_balances b JOIN grants a ON a.customer_id = b.customer_id AND a.id = b.allocation_id
     WHERE b.customer_id = k.customer_id::uuid AND b.feature_key = k.feature_key)
  ) g`;

/** The credits of features: their totals, and at most so many of the grants that are next to burn. */
export function lookAtCredits(
  meters: readonly { readonly customerId: string; readonly featureKey: string }[],
  grantsMax: number,
): readonly Look[] {
  const params = [meters.map((m) => m.customerId), meters.map((m) => m.featureKey)];
  return [
    {
      statement: { text: CREDITS, params },
      read(rows, customers) {
        for (const row of rowsAs<CreditRow>(rows)) {
          const credits = customers.get(row.customer_id)?.credits;
          const grants = credits?.get(row.feature_key)?.grants ?? new Map();
          credits?.set(row.feature_key, { ...creditAccountFromRow(row), grants });
        }
      },
    },
    { statement: { text: GRANTS, params: [...params, grantsMax] }, read: readGrants },
  ];
}

/** Adds grants to the accounts of their features. */
function readGrants(rows: readonly Row[], customers: Customers): void {
  const found = new Map<string, { customer: CustomerState; featureKey: string; grants: Map<string, Grant> }>();
  for (const row of rowsAs<GrantRow>(rows)) {
    const customer = customers.get(row.customer_id);
    if (!customer) continue;
    const known = customer.credits.get(row.feature_key)?.grants;
    const name = `${row.customer_id}\n${row.feature_key}`;
    const entry = found.get(name) ?? { customer, featureKey: row.feature_key, grants: new Map(known) };
    entry.grants.set(row.id, grantFromRow(row));
    found.set(name, entry);
  }
  for (const { customer, featureKey, grants } of found.values()) {
    customer.credits.set(featureKey, { ...(customer.credits.get(featureKey) ?? NO_ACCOUNT), grants });
  }
}

const NAMED_GRANTS = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, id)
  CROSS JOIN LATERAL (SELECT * FROM grants WHERE customer_id = k.customer_id::uuid AND id = k.id::uuid LIMIT 1) g`;

/** Grants by id. */
export const lookAtGrants = (names: readonly { readonly customerId: string; readonly id: string }[]): Look => ({
  statement: { text: NAMED_GRANTS, params: [names.map((n) => n.customerId), names.map((n) => n.id)] },
  read: readGrants,
});

const GRANTS_OF_ORIGIN = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, id)
  CROSS JOIN LATERAL (SELECT * FROM grants WHERE customer_id = k.customer_id::uuid AND origin_id = k.id::uuid AND state IN ('live', 'spent')) g`;

/** What came of grants that come again, as far as it lives. */
export const lookAtGrantsOfOrigin = (names: readonly { readonly customerId: string; readonly id: string }[]): Look => ({
  statement: { text: GRANTS_OF_ORIGIN, params: [names.map((n) => n.customerId), names.map((n) => n.id)] },
  read: readGrants,
});

const DUE_GRANTS = `
  SELECT ${GRANT_COLUMNS}
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (SELECT * FROM grants WHERE customer_id = k.customer_id::uuid AND due_at <= $2::timestamptz OFFSET 0) g`;

const LATER_GRANTS = `
  SELECT k.customer_id, g.due_at
  FROM unnest($1::text[]) AS k (customer_id)
  CROSS JOIN LATERAL (
    SELECT due_at FROM grants WHERE customer_id = k.customer_id::uuid AND due_at > $2::timestamptz ORDER BY due_at LIMIT 1
  ) g`;

/** The grants of which something is due, and when the next will be. */
export function lookAtDueGrants(customerIds: readonly string[], nowMs: number): readonly Look[] {
  const params = [customerIds, iso(nowMs)];
  return [
    { statement: { text: DUE_GRANTS, params }, read: readGrants },
    {
      statement: { text: LATER_GRANTS, params },
      read(rows, customers) {
        for (const row of rowsAs<{ readonly customer_id: string; readonly due_at: Date }>(rows)) {
          const customer = customers.get(row.customer_id);
          if (customer) customer.laterMs = row.due_at.getTime();
        }
      },
    },
  ];
}
