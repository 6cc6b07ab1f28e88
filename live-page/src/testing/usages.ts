/** usages — what the tests show: a usage with only its telling parts said. */
import type { Alert, Consumption } from '@metergraph/client-sdk';
import type { ShownCustomer, ShownUsage } from '../overview.ts';

export type UsageParts = Partial<Omit<ShownUsage, 'feature'>> & {
  readonly key?: string;
  readonly unit?: string | null;
  readonly aggregation?: 'COUNT' | 'SUM';
};

export const NOVEMBER = { start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' };
export const DECEMBER = { start: '2026-12-01T00:00:00.000Z', end: '2027-01-01T00:00:00.000Z' };

/** 10 of 100 calls of acme in November, hard. */
export function usage({ key = 'calls', unit = 'call', aggregation = 'SUM', ...parts }: UsageParts = {}): ShownUsage {
  return {
    referenceId: 'acme',
    feature: { key, displayName: key, unit, aggregation },
    planKey: 'pro',
    entitled: true,
    used: '10',
    reserved: '0',
    limit: '100',
    remaining: '90',
    enforcement: 'HARD',
    value: null,
    thresholds: [{ kind: 'FRACTION', value: '0.8', falling: false }],
    price: null,
    period: NOVEMBER,
    credits: '0',
    wallet: null,
    overage: '0',
    estimatedCost: null,
    cursor: 'c',
    ...parts,
  };
}

export const customer = (referenceId: string, usages: readonly UsageParts[]): ShownCustomer => ({
  referenceId,
  name: null,
  planKey: 'pro',
  usages: usages.map((parts) => usage({ referenceId, ...parts })),
});

export const alert = (parts: Partial<Alert> = {}): Alert => ({
  id: 'a1',
  referenceId: 'acme',
  featureKey: 'calls',
  threshold: { kind: 'FRACTION', value: '0.8', falling: false },
  used: '80',
  limit: '100',
  raisedAt: '2026-11-20T10:00:00.000Z',
  acknowledgedAt: null,
  cursor: 'c',
  ...parts,
});

const free = { amount: '0', currency: 'usd' };

/** An allowed call of `amount`, included. */
export const allowed = (amount: string, parts: Partial<Consumption> = {}): Consumption => ({
  allowed: true,
  denial: null,
  amount,
  split: { included: amount, credits: '0', wallet: '0', overage: '0', walletCharge: free, overageCost: free },
  usage: usage(),
  alerts: [],
  replayed: false,
  ...(parts as object), // `allowed` and `denial` vary together, which a part of them cannot say
});
