/** fixtures — every state a meter can be in, as what it has heard. */
import { initialState, type MeterState } from '../src/state.ts';
import type { MeterAlert, MeterUsage } from '../src/types.ts';

export const NOW = Date.parse('2026-11-22T12:00:00Z');

export function usage(changes: Partial<MeterUsage> = {}): MeterUsage {
  return {
    feature: { key: 'api_calls', displayName: 'API calls', unit: 'call' },
    used: '412',
    limit: '1000',
    enforcement: 'HARD',
    thresholds: [
      { kind: 'FRACTION', value: '0.8' },
      { kind: 'FRACTION', value: '1' },
    ],
    period: { start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' },
    credits: '0',
    estimatedCost: null,
    ...changes,
  };
}

export function alert(id: string, value: string, changes: Partial<MeterAlert> = {}): MeterAlert {
  return {
    id,
    featureKey: 'api_calls',
    threshold: { kind: 'FRACTION', value },
    used: '800',
    limit: '1000',
    raisedAt: '2026-11-22T11:59:00.000Z',
    ...changes,
  };
}

const live = (changes: Partial<MeterUsage> = {}, rest: Partial<MeterState> = {}): MeterState => ({
  ...initialState,
  connection: 'live',
  usage: usage(changes),
  ...rest,
});

const storage = { key: 'storage', displayName: 'Storage', unit: 'GB' };
const price = { unitAmount: '10', currency: 'usd' };

export const fixtures: Readonly<Record<string, MeterState>> = {
  loading: initialState,
  calm: live(),
  untouched: live({ used: '0' }),
  near: live({ used: '846' }, { alerts: [alert('a', '0.8')] }),
  stages: live({
    used: '930',
    thresholds: ['0.5', '0.75', '0.9', '1'].map((value) => ({ kind: 'FRACTION', value })),
  }),
  full: live({ used: '1000' }, { alerts: [alert('a', '0.8'), alert('b', '1', { used: '1000' })] }),
  'over, soft and priced': live({
    used: '1234',
    enforcement: 'SOFT',
    price,
    estimatedCost: { amount: '2340', currency: 'usd' },
  }),
  'over, hard': live({ used: '1250.5' }),
  'beyond it costs': live({ used: '640', enforcement: 'SOFT', price, estimatedCost: { amount: '0', currency: 'usd' } }),
  'soft, no price': live({
    feature: storage,
    used: '73.125',
    limit: '100',
    enforcement: 'SOFT',
    period: { start: '2026-11-01T00:00:00Z', end: null },
  }),
  'a very long number': live({ used: '12345678901234567890.123456789', limit: '99999999999999999999' }),
  unlimited: live({ used: '12345678', limit: null, thresholds: [] }),
  'unlimited, credits and price': live({
    used: '48',
    limit: null,
    thresholds: [],
    credits: '52',
    price,
    estimatedCost: { amount: '0', currency: 'usd' },
  }),
  'unlimited, thresholds': live({
    used: '5400',
    limit: null,
    thresholds: [
      { kind: 'USED', value: '5000' },
      { kind: 'USED', value: '10000' },
    ],
  }),
  none: live({ used: '0', limit: '0' }),
  stale: live({ used: '731' }, { connection: 'reconnecting' }),
  'many alerts': live(
    { used: '1000' },
    { alerts: ['0.5', '0.75', '0.8', '0.9', '1'].map((value) => alert(value, value)) },
  ),
  denied: { ...initialState, problem: 'denied' },
  absent: { ...initialState, problem: 'absent' },
  failed: { ...initialState, problem: 'failed' },
};
