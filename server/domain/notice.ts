/**
 * notice — what happened that other systems may be told of: the names of it, and what each says. Pure.
 *
 * Its data goes out as it is here: amounts are exact decimals as strings, money in minor units, instants ISO 8601.
 */
import type { Period } from './period.ts';
import type { ThresholdKind } from './threshold.ts';

export const NOTICE_TYPES = [
  'usage.threshold_reached',
  'limit.exceeded',
  'balance.low',
  'balance.topped_up',
  'period.closed',
  'subscription.changed',
  'billing.dead_letter',
] as const;
/** What somebody may ask to be told of. */
export type NoticeType = (typeof NOTICE_TYPES)[number];

/** Sent on request, to see that an endpoint hears. Nobody can subscribe to it. */
export const TEST_NOTICE = 'webhook.test';

export type PeriodData = { readonly start: string; readonly end: string | null };

/** A change of plan, or of how it is paid for. */
export type SubscriptionData = {
  readonly change: 'plan' | 'status';
  readonly planKey: string | null;
  readonly previousPlanKey: string | null;
  /** Of the subscription at the biller, in its words; null where there is none, or it is not about that. */
  readonly status: string | null;
  readonly previousStatus: string | null;
  readonly effectiveAt: string;
};

/** Something that the biller does not take, and that nobody sends again by itself. */
export type DeadLetterData = {
  /** Which biller: `stripe`, `manual`. */
  readonly biller: string;
  /** What it was: `usage`, `webhook`. */
  readonly kind: string;
  /** By what it is found again. */
  readonly reference: string;
  readonly featureKey: string | null;
  readonly amount: string | null;
  /** A stable code, and a sentence. */
  readonly code: string;
  readonly message: string;
};

export type NoticeData = {
  readonly 'usage.threshold_reached': {
    readonly featureKey: string;
    readonly threshold: { readonly kind: ThresholdKind; readonly value: string; readonly falling: boolean };
    readonly used: string;
    readonly limit: string | null;
    readonly period: PeriodData;
    /** Counts the tenant's alerts, without gaps. */
    readonly sequence: string;
  };
  readonly 'limit.exceeded': {
    readonly featureKey: string;
    /** `denied`: a call was refused; `passed`: use went beyond the limit, which is soft, or had happened already. */
    readonly how: 'denied' | 'passed';
    readonly used: string;
    readonly limit: string | null;
    readonly period: PeriodData;
  };
  readonly 'balance.low': {
    readonly currency: string;
    readonly balance: string;
    /** That of the plan's auto top-up. */
    readonly threshold: string;
    /** What the wallet asked for; null where something keeps it from asking. */
    readonly topUpAsked: string | null;
  };
  readonly 'balance.topped_up': { readonly currency: string; readonly amount: string; readonly balance: string };
  readonly 'period.closed': {
    readonly featureKey: string;
    readonly period: PeriodData;
    readonly used: string;
    readonly credits: string;
    readonly wallet: string;
    readonly overage: string;
    /** What the wallet paid, and what is to be billed, in `currency`; null where the feature has no price. */
    readonly walletCharge: string | null;
    readonly overageCost: string | null;
    readonly currency: string | null;
  };
  readonly 'subscription.changed': SubscriptionData;
  readonly 'billing.dead_letter': DeadLetterData;
};

type NoticeOf<T extends NoticeType> = {
  readonly type: T;
  readonly tenantId: string;
  /** Null for what is nobody's in particular. */
  readonly customer: { readonly customerId: string; readonly referenceId: string } | null;
  readonly data: NoticeData[T];
  /** Names the fact within the tenant: told again by the same key, it is not told. */
  readonly dedupeKey: string;
  readonly atMs: number;
  /** How long the key is remembered beside what is usual; null for ever, left out: no longer. */
  readonly knownUntilMs?: number | null;
};

/** One thing that happened. */
export type Notice<T extends NoticeType = NoticeType> = { readonly [K in T]: NoticeOf<K> }[T];

/** A notice and its key are kept for so long after it happened. */
export const NOTICE_KEPT_MS = 30 * 24 * 3_600_000;

/** Until when a notice is kept; null for ever. */
export const keptUntilMs = ({ atMs, knownUntilMs = atMs }: Notice): number | null =>
  knownUntilMs === null ? null : Math.max(atMs, knownUntilMs) + NOTICE_KEPT_MS;

export const isoOf = (atMs: number): string => new Date(atMs).toISOString();

export const periodData = ({ startMs, endMs }: Period): PeriodData => ({
  start: isoOf(startMs),
  end: endMs === null ? null : isoOf(endMs),
});
