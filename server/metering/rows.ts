/** rows — the engine's tables as they are read: one row type a table, and what it means. */
import { type LimitFieldsJson, limitFieldsMapFromJson } from '../db/limit-fields-json.ts';
import type { PendingPlan } from '../domain/customer.ts';
import type { EventKind } from '../domain/event.ts';
import type { Grant, GrantSource, GrantState } from '../domain/grant.ts';
import type { Mute } from '../domain/mute.ts';
import type { RuleKey } from '../domain/period.ts';
import type { Reservation, ReservationState } from '../domain/reservation.ts';
import { type Units, unitsOf } from '../domain/units.ts';
import type { AnswerJson } from './answer.ts';
import type {
  AskedTopUp,
  CreditAccount,
  CustomerState,
  KnownAnswer,
  PastEvent,
  StoredCounter,
  StoredWallet,
} from './state.ts';
import { paymentFromJson, type RenewalJson, renewalFromJson, type SplitJson } from './stored-json.ts';

export type CustomerRow = {
  readonly id: string;
  readonly tenant_id: string;
  readonly reference_id: string;
  readonly plan_key: string | null;
  readonly plan_version: number | null;
  readonly pending_plan: PendingPlan | null;
  readonly time_zone: string;
  readonly anchor_at: Date;
  readonly overrides: Readonly<Record<string, LimitFieldsJson>> | null;
  readonly mutes: readonly Mute[] | null;
  readonly sequence: string;
  readonly limits_sequence: string;
  readonly rate_windows: Readonly<Record<string, readonly [startMs: number, calls: number]>> | null;
  readonly prepaid: boolean;
  readonly due_at: Date | null;
  readonly created_at: Date;
};

const NO_OVERRIDES: CustomerState['overrides'] = new Map();
const NO_MUTES: CustomerState['mutes'] = [];
const NO_WINDOWS: CustomerState['rateWindows'] = new Map();

export const customerFromRow = (row: CustomerRow): CustomerState => ({
  id: row.id,
  tenantId: row.tenant_id,
  referenceId: row.reference_id,
  planKey: row.plan_key,
  planVersion: row.plan_version,
  pendingPlan: row.pending_plan,
  timeZone: row.time_zone,
  anchorAtMs: row.anchor_at.getTime(),
  createdAtMs: row.created_at.getTime(),
  overrides: row.overrides === null ? NO_OVERRIDES : limitFieldsMapFromJson(row.overrides),
  mutes: row.mutes ?? NO_MUTES,
  limitsSequence: BigInt(row.limits_sequence),
  sequenceBefore: BigInt(row.sequence),
  sequence: BigInt(row.sequence),
  rateWindows: row.rate_windows === null ? NO_WINDOWS : rateWindowsFromJson(row.rate_windows),
  prepaid: row.prepaid,
  dueAtMs: msOf(row.due_at),
  counters: new Map(),
  earlier: new Map(),
  credits: new Map(),
  wallets: new Map(),
  reservations: new Map(),
  commits: new Map(),
  seen: new Set(),
  drawn: new Map(),
  laterMs: null,
  events: new Map(),
  answers: new Map(),
});

const rateWindowsFromJson = (json: NonNullable<CustomerRow['rate_windows']>): CustomerState['rateWindows'] =>
  new Map(Object.entries(json).map(([key, [startMs, calls]]) => [key, { startMs, calls }]));

export type CounterRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly entity_id: string;
  readonly period_start: Date;
  readonly period_end: Date | null;
  readonly reset: RuleKey;
  readonly used: string;
  readonly held: string | null;
  readonly credits: string | null;
  readonly wallet: string | null;
  readonly overage: string | null;
  readonly cost: string | null;
  readonly wallet_charge: string | null;
  readonly level: string | null;
  readonly level_at: Date | null;
  readonly area: string | null;
  readonly raised: readonly string[] | null;
  readonly sequence: string;
  readonly closed_at: Date | null;
  readonly corrected_at: Date | null;
};

const NO_MARKS: StoredCounter['raised'] = new Set();

export const counterFromRow = (row: CounterRow): StoredCounter => ({
  period: { startMs: row.period_start.getTime(), endMs: msOf(row.period_end), reset: row.reset },
  used: unitsOf(row.used),
  held: unitsOr0(row.held),
  credits: unitsOr0(row.credits),
  wallet: unitsOr0(row.wallet),
  overage: unitsOr0(row.overage),
  cost: unitsOr0(row.cost),
  walletCharge: unitsOr0(row.wallet_charge),
  gauge:
    row.level === null
      ? null
      : {
          level: unitsOf(row.level),
          atMs: msOf(row.level_at) ?? row.period_start.getTime(),
          area: BigInt(row.area ?? 0),
        },
  raised: row.raised === null ? NO_MARKS : new Set(row.raised),
  sequence: BigInt(row.sequence),
  closedAtMs: msOf(row.closed_at),
  correctedAtMs: msOf(row.corrected_at),
});

export type AnswerRow = KnownAnswer & {
  readonly customer_id: string;
  readonly idempotency_key: string;
  readonly answer: AnswerJson;
};

export type CreditRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly live: string;
  readonly allocation_id: string | null;
  readonly rule: string | null;
  readonly sequence: string;
};

export const creditAccountFromRow = (row: CreditRow): CreditAccount => ({
  live: unitsOf(row.live),
  allocationId: row.allocation_id,
  rule: row.rule,
  sequence: BigInt(row.sequence),
  grants: new Map(),
});

export type GrantRow = {
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

export const grantFromRow = (row: GrantRow): Grant => ({
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

export type WalletRow = {
  readonly customer_id: string;
  readonly currency: string;
  readonly balance: string | null;
  readonly floor: string | null;
  readonly spent: string;
  readonly spent_since: Date;
  readonly top_ups: number;
  readonly top_up_asked_at: Date | null;
  /** Of what was asked for then. */
  readonly top_up_sequence: string | null;
  readonly top_up_amount: string | null;
  readonly top_up_failed_at: Date | null;
  readonly sequence: string;
};

export const walletFromRow = (row: WalletRow): StoredWallet => ({
  currency: row.currency,
  balance: row.balance === null ? null : unitsOf(row.balance),
  floor: row.floor === null ? null : unitsOf(row.floor),
  spent: unitsOf(row.spent),
  spentSinceMs: row.spent_since.getTime(),
  topUps: row.top_ups,
  topUp: askedTopUpOf(row),
  topUpFailedAtMs: msOf(row.top_up_failed_at),
  sequence: BigInt(row.sequence),
});

const askedTopUpOf = (row: WalletRow): AskedTopUp | null =>
  row.top_up_asked_at === null || row.top_up_sequence === null || row.top_up_amount === null
    ? null
    : {
        sequence: BigInt(row.top_up_sequence),
        amount: unitsOf(row.top_up_amount),
        askedAtMs: row.top_up_asked_at.getTime(),
      };

export type ValueRow = {
  readonly customer_id: string;
  readonly feature_key: string;
  readonly period_start: Date;
  readonly value: string;
};

export type ReservationRow = {
  readonly customer_id: string;
  readonly id: string;
  readonly feature_key: string;
  readonly entity_id: string;
  readonly period_start: Date;
  readonly override_key: string | null;
  readonly amount: string;
  readonly split: SplitJson;
  readonly draws: readonly (readonly [grantId: string, units: string])[];
  readonly properties: string | null;
  readonly state: ReservationState;
  readonly committed: string | null;
  readonly answer: AnswerJson | null;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
};

export const reservationFromRow = (row: ReservationRow): Reservation => ({
  id: row.id,
  featureKey: row.feature_key,
  entityId: row.entity_id || null,
  periodStartMs: row.period_start.getTime(),
  overrideKey: row.override_key,
  amount: unitsOf(row.amount),
  payment: {
    ...paymentFromJson(row.split),
    draws: row.draws.map(([grantId, units]) => ({ grantId, units: unitsOf(units) })),
  },
  currency: row.split.currency,
  properties: row.properties,
  state: row.state,
  committed: row.committed === null ? null : unitsOf(row.committed),
  createdAtMs: row.created_at.getTime(),
  expiresAtMs: row.expires_at.getTime(),
  closedAtMs: msOf(row.closed_at),
});

export type EventRow = {
  readonly customer_id: string;
  readonly sequence: string;
  readonly kind: EventKind;
  readonly feature_key: string;
  readonly entity_id: string;
  readonly period_start: Date;
  readonly reported: string;
  readonly amount: string;
  readonly credits: string;
  readonly wallet: string;
  readonly overage: string;
  readonly cost: string;
  readonly wallet_charge: string;
  readonly currency: string | null;
  readonly properties: string | null;
  readonly occurred_at: Date;
  readonly is_reversed: boolean;
};

export function eventFromRow(row: EventRow): PastEvent {
  const amount = unitsOf(row.amount);
  const [credits, wallet, overage] = [unitsOf(row.credits), unitsOf(row.wallet), unitsOf(row.overage)];
  return {
    sequence: BigInt(row.sequence),
    kind: row.kind,
    featureKey: row.feature_key,
    entityId: row.entity_id || null,
    periodStartMs: row.period_start.getTime(),
    reported: unitsOf(row.reported),
    amount,
    payment: {
      included: amount - credits - wallet - overage,
      credits,
      wallet,
      overage,
      cost: unitsOf(row.cost),
      walletCharge: unitsOf(row.wallet_charge),
      draws: [],
    },
    currency: row.currency,
    properties: row.properties,
    occurredAtMs: row.occurred_at.getTime(),
    isReversed: row.is_reversed,
  };
}

export type PostingRow = {
  readonly customer_id: string;
  readonly sequence: string;
  readonly grant_id: string;
  readonly amount: string;
};

export type DrawnRow = {
  readonly customer_id: string;
  readonly commodity: string;
  readonly grant_id: string;
  readonly amount: string;
};

const unitsOr0 = (text: string | null): Units => (text === null ? 0n : unitsOf(text));

const msOf = (at: Date | null): number | null => at?.getTime() ?? null;
