/** troubles — usage that is not where it should be, told once: dead letters, and what is late for its invoice. */
import type { Database, Query } from '../../../db/client.ts';
import { emitAll } from '../../../db/queries/outgoing-events.ts';
import { queryIn } from '../../../db/query-in.ts';
import type { Notice } from '../../../domain/notice.ts';
import { deadLetter } from '../../../domain/notices-of-money.ts';
import { formatUnits, type Units, unitsOf } from '../../../domain/units.ts';
import { OVERDUE_MS } from '../../../domain/usage-report.ts';
import { isoOf } from './outbox.ts';

/** A message that needs somebody. */
export type Trouble = {
  readonly kind: 'dead' | 'overdue';
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly periodStartMs: number;
  readonly periodEndMs: number | null;
  readonly identifier: string;
  readonly quantity: Units;
  readonly code: string;
  readonly sentence: string;
};

/**
 * When the invoice of its use is closed follows the billing period that it falls into: that which runs, or the one before it.
 * Where none is known, its counter's does. Late use has as long from when it was told.
 */
const DUE = `greatest(least(m.period_end, CASE WHEN a.period_start > m.used_at THEN a.period_start ELSE a.period_end END), m.created_at)`;

const TAKE = `
  WITH found AS MATERIALIZED (
    SELECT m.customer_id, m.feature_key, m.period_start, m.number FROM usage_messages m
    LEFT JOIN billing_accounts a ON a.customer_id = m.customer_id
    WHERE m.told_at IS NULL AND m.state <> 'delivered'
      AND (m.state = 'dead' OR ${DUE} <= $2::timestamptz OR m.created_at <= $4::timestamptz)
    ORDER BY m.created_at LIMIT $3::integer FOR UPDATE OF m SKIP LOCKED
  )
  UPDATE usage_messages m SET told_at = $1::timestamptz FROM found f JOIN customers c ON c.id = f.customer_id
  WHERE m.customer_id = f.customer_id AND m.feature_key = f.feature_key AND m.period_start = f.period_start AND m.number = f.number
  RETURNING m.state, m.tenant_id, m.customer_id, c.reference_id, m.feature_key, m.period_start, m.period_end, m.identifier, m.quantity::text AS quantity,
    m.reason_code, m.reason`;

const TROUBLES_MAX = 100;
/** What has waited for so long is told whatever its period is: by itself it would have arrived. */
const OPEN_MS_MAX = 24 * 3_600_000;

/**
 * Those that nobody was told of. Whoever listens to webhooks is told in the transaction that takes them, and each is taken by one
 * gateway, once; one that is sent anew, and fails again, is told again.
 *
 * @returns them, for the log.
 */
export const tellTroubles = ({ db }: Pick<Database, 'db'>, nowMs: number): Promise<readonly Trouble[]> =>
  db.transaction(async (tx) => {
    const query = queryIn(tx);
    const troubles = await takeTroubles(query, nowMs);
    await emitAll(
      query,
      troubles.map((trouble) => noticeOf(trouble, nowMs)),
      nowMs,
    );
    return troubles;
  });

function noticeOf(trouble: Trouble, nowMs: number): Notice<'billing.dead_letter'> {
  const { kind, tenantId, customerId, referenceId, identifier, featureKey, quantity, code, sentence } = trouble;
  const isDead = kind === 'dead';
  return deadLetter(
    tenantId,
    { customerId, referenceId },
    {
      biller: 'stripe',
      kind: 'usage',
      reference: identifier,
      featureKey,
      amount: formatUnits(quantity),
      code: isDead ? code : 'overdue',
      message: isDead ? sentence : `It is late, and is still tried. ${sentence}`,
    },
    nowMs,
  );
}

async function takeTroubles(query: Query, nowMs: number): Promise<readonly Trouble[]> {
  const params = [isoOf(nowMs), isoOf(nowMs - OVERDUE_MS), TROUBLES_MAX, isoOf(nowMs - OPEN_MS_MAX)];
  const rows = await query<TroubleRow>({ text: TAKE, params });
  return rows.map((row) => ({
    kind: row.state === 'dead' ? 'dead' : 'overdue',
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    referenceId: row.reference_id,
    featureKey: row.feature_key,
    periodStartMs: msOf(row.period_start),
    periodEndMs: row.period_end === null ? null : msOf(row.period_end),
    identifier: row.identifier,
    quantity: unitsOf(row.quantity),
    code: row.reason_code ?? 'waiting',
    sentence: row.reason ?? 'It was not tried yet.',
  }));
}

/** Within a transaction drivers answer with texts. */
type Instant = Date | string;

const msOf = (at: Instant): number => new Date(at).getTime();

type TroubleRow = {
  readonly state: string;
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly reference_id: string;
  readonly feature_key: string;
  readonly period_start: Instant;
  readonly period_end: Instant | null;
  readonly identifier: string;
  readonly quantity: string;
  readonly reason_code: string | null;
  readonly reason: string | null;
};
