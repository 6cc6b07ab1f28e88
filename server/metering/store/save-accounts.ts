/** save-accounts — what batches write beside the one statement: grants, wallets, reservations, values, postings, plans. */
import type { Statement } from '../../db/client.ts';
import { nextDueMs } from '../../domain/credits.ts';
import { formatUnits } from '../../domain/units.ts';
import type { Changes, CustomerState, MovedPlan } from '../state.ts';
import { renewalToJson, splitToJson } from '../stored-json.ts';
import { type Column, iso, isoOrNull, unitsOrNull, WITHIN_BATCH, writeStatement } from './columns.ts';

type OfCustomer = { readonly customer: CustomerState };
const CUSTOMER: Column<OfCustomer> = ['customer_id', 'uuid', ({ customer }) => customer.id];
const TENANT: Column<OfCustomer> = ['tenant_id', 'uuid', ({ customer }) => customer.tenantId];

/** What batches with credits, wallets, reservations or distinct values write besides: at most seven statements. */
export function accountStatements(changes: Changes, now: string): readonly Statement[] {
  return [
    grantsStatement(changes),
    balancesStatement(changes),
    walletsStatement(changes),
    topUpsStatement(changes, now),
    reservationsStatement(changes),
    valuesStatement(changes),
    postingsStatement(changes, now),
  ].filter(({ params }) => (params[0] as readonly string[]).length > 0); // each statement takes columns
}

const grantsStatement = ({ grants }: Changes): Statement =>
  writeStatement(
    'grants',
    [...grants.values()],
    [
      CUSTOMER,
      TENANT,
      ['id', 'uuid', ({ grant }) => grant.id],
      ['feature_key', 'text', ({ grant }) => grant.featureKey],
      ['source', 'text', ({ grant }) => grant.source],
      ['amount', 'numeric', ({ grant }) => formatUnits(grant.amount)],
      ['remaining', 'numeric', ({ grant }) => formatUnits(grant.remaining)],
      ['priority', 'integer', ({ grant }) => String(grant.priority)],
      ['effective_from', 'timestamptz', ({ grant }) => iso(grant.effectiveFromMs)],
      ['expires_at', 'timestamptz', ({ grant }) => isoOrNull(grant.expiresAtMs)],
      ['created_at', 'timestamptz', ({ grant }) => iso(grant.createdAtMs)],
      ['state', 'text', ({ grant }) => grant.state],
      ['renewal', 'jsonb', ({ grant }) => grant.renewal && JSON.stringify(renewalToJson(grant.renewal))],
      ['renews_at', 'timestamptz', ({ grant }) => isoOrNull(grant.renewsAtMs)],
      ['origin_id', 'uuid', ({ grant }) => grant.originId],
      ['rolled_over', 'boolean', ({ grant }) => String(grant.rolledOver)],
      ['due_at', 'timestamptz', ({ grant }) => isoOrNull(nextDueMs(grant))],
      ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
    ],
    'customer_id, id',
  );

const balancesStatement = ({ balances }: Changes): Statement =>
  writeStatement(
    'credit_balances',
    [...balances.values()],
    [
      CUSTOMER,
      TENANT,
      ['feature_key', 'text', ({ featureKey }) => featureKey],
      ['live', 'numeric', ({ account }) => formatUnits(account.live)],
      ['allocation_id', 'uuid', ({ account }) => account.allocationId],
      ['rule', 'text', ({ account }) => account.rule],
      ['sequence', 'bigint', ({ account }) => account.sequence.toString()],
    ],
    'customer_id, feature_key',
  );

const walletsStatement = ({ wallets }: Changes): Statement =>
  writeStatement(
    'wallets',
    [...wallets.values()],
    [
      CUSTOMER,
      TENANT,
      ['currency', 'text', ({ wallet }) => wallet.currency],
      ['balance', 'numeric', ({ wallet }) => unitsOrNull(wallet.balance)],
      ['floor', 'numeric', ({ wallet }) => unitsOrNull(wallet.floor)],
      ['spent', 'numeric', ({ wallet }) => formatUnits(wallet.spent)],
      ['spent_since', 'timestamptz', ({ wallet }) => iso(wallet.spentSinceMs)],
      ['top_ups', 'integer', ({ wallet }) => String(wallet.topUps)],
      ['top_up_asked_at', 'timestamptz', ({ wallet }) => isoOrNull(wallet.topUp?.askedAtMs ?? null)],
      ['top_up_failed_at', 'timestamptz', ({ wallet }) => isoOrNull(wallet.topUpFailedAtMs)],
      ['sequence', 'bigint', ({ wallet }) => wallet.sequence.toString()],
    ],
    'customer_id, currency',
  );

const topUpsStatement = ({ topUps }: Changes, now: string): Statement =>
  writeStatement(
    'top_up_requests',
    [...topUps.values()],
    [
      CUSTOMER,
      TENANT,
      ['sequence', 'bigint', ({ topUp }) => topUp.sequence.toString()],
      ['currency', 'text', ({ currency }) => currency],
      ['amount', 'numeric', ({ topUp }) => formatUnits(topUp.amount)],
      ['state', 'text', ({ state }) => state],
      ['asked_at', 'timestamptz', ({ topUp }) => iso(topUp.askedAtMs)],
      ['settled_at', 'timestamptz', ({ state }) => (state === 'asked' ? null : now)],
    ],
    'customer_id, sequence, currency',
  );

const reservationsStatement = ({ reservations }: Changes): Statement =>
  writeStatement(
    'reservations',
    [...reservations.values()],
    [
      CUSTOMER,
      TENANT,
      ['id', 'uuid', ({ reservation }) => reservation.id],
      ['feature_key', 'text', ({ reservation }) => reservation.featureKey],
      ['entity_id', 'text', ({ reservation }) => reservation.entityId ?? ''],
      ['period_start', 'timestamptz', ({ reservation }) => iso(reservation.periodStartMs)],
      ['override_key', 'text', ({ reservation }) => reservation.overrideKey],
      ['amount', 'numeric', ({ reservation }) => formatUnits(reservation.amount)],
      ['split', 'jsonb', ({ reservation: { payment, currency } }) => JSON.stringify(splitToJson(payment, currency))],
      [
        'draws',
        'jsonb',
        ({ reservation }) =>
          JSON.stringify(reservation.payment.draws.map(({ grantId, units }) => [grantId, formatUnits(units)])),
      ],
      ['properties', 'jsonb', ({ reservation }) => reservation.properties],
      ['state', 'text', ({ reservation }) => reservation.state],
      ['committed', 'numeric', ({ reservation }) => unitsOrNull(reservation.committed)],
      ['answer', 'json', ({ answer }) => answer],
      ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
      ['created_at', 'timestamptz', ({ reservation }) => iso(reservation.createdAtMs)],
      ['expires_at', 'timestamptz', ({ reservation }) => iso(reservation.expiresAtMs)],
      ['closed_at', 'timestamptz', ({ reservation }) => isoOrNull(reservation.closedAtMs)],
    ],
    'customer_id, id',
  );

const valuesStatement = ({ values }: Changes): Statement =>
  writeStatement('unique_values', values, [
    CUSTOMER,
    TENANT,
    ['feature_key', 'text', ({ featureKey }) => featureKey],
    ['period_start', 'timestamptz', ({ periodStartMs }) => iso(periodStartMs)],
    ['value', 'text', ({ value }) => value],
  ]);

function postingsStatement({ postings }: Changes, now: string): Statement {
  const lines = new Map<string, number>();
  const numbered = postings.map((posting) => {
    const entry = `${posting.customer.id} ${posting.sequence}`;
    const line = lines.get(entry) ?? 0;
    lines.set(entry, line + 1);
    return { ...posting, line };
  });
  return writeStatement('postings', numbered, [
    CUSTOMER,
    TENANT,
    ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
    ['line', 'integer', ({ line }) => String(line)],
    ['kind', 'text', ({ kind }) => kind],
    ['account', 'text', ({ account }) => account],
    ['grant_id', 'uuid', ({ grantId }) => grantId],
    ['commodity', 'text', ({ commodity }) => commodity],
    ['feature_key', 'text', ({ featureKey }) => featureKey],
    ['amount', 'numeric', ({ amount }) => formatUnits(amount)],
    ['recorded_at', 'timestamptz', () => now],
  ]);
}

/** Customers whose change of plan had come due. */
export const movePlansStatements = (moved: readonly MovedPlan[]): readonly Statement[] => [
  movePlansStatement(moved.map(({ customer }) => customer)),
  planSpansStatement(moved),
];

const movePlansStatement = (customers: readonly CustomerState[]): Statement => ({
  text: `
    UPDATE customers c SET plan_key = v.plan_key, plan_version = v.plan_version::integer, pending_plan = v.pending_plan::jsonb
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS v (id, plan_key, plan_version, pending_plan) WHERE c.id = v.id::uuid AND ${WITHIN_BATCH}`,
  params: [
    customers.map((c) => c.id),
    customers.map((c) => c.planKey),
    customers.map((c) => c.planVersion?.toString() ?? null),
    customers.map((c) => c.pendingPlan && JSON.stringify(c.pendingPlan)),
  ],
});

/** The history says when the change took effect, however late somebody came by. */
const planSpansStatement = (moved: readonly MovedPlan[]): Statement =>
  writeStatement(
    'plan_spans',
    moved,
    [
      CUSTOMER,
      ['since', 'timestamptz', ({ sinceMs }) => iso(sinceMs)],
      TENANT,
      ['plan_key', 'text', ({ customer }) => customer.planKey],
      ['plan_version', 'integer', ({ customer }) => customer.planVersion?.toString() ?? null],
    ],
    'customer_id, since',
  );
