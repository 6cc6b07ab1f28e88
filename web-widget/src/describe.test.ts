/** Goal: the words are true and plain in every state. Method: a table of sentences, then languages and alerts. */
import { describe, expect, it } from 'vitest';
import { alert, fixtures, NOW, usage } from '../playground/fixtures.ts';
import { describeMeter, type MeterOptions, type MeterView } from './describe.ts';
import { initialState } from './state.ts';
import type { MeterAlert, MeterUsage } from './types.ts';

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ');
const options: MeterOptions = { now: NOW, locale: 'en-US', timeZone: 'UTC' };
const view = (changes: Partial<MeterUsage>, more: Partial<MeterOptions> = {}, alerts: MeterAlert[] = []): MeterView =>
  describeMeter({ ...initialState, connection: 'live', usage: usage(changes), alerts }, { ...options, ...more });
const figures = (changes: Partial<MeterUsage>, more?: Partial<MeterOptions>) => {
  const found = view(changes, more).figures;
  if (!found) throw new Error('no figures');
  return found;
};

const forever = { start: '2026-11-01T00:00:00Z', end: null };
const price = { unitAmount: '10', currency: 'usd' };
const inTiers = { ...price, unitAmount: null };
const BILLED_BEYOND = 'Beyond 1,000 calls, further use is billed.';
const cost = (amount: string) => ({ amount, currency: 'usd' });

describe('what happens next', () => {
  it.each<[Partial<MeterUsage>, string]>([
    // A hard limit refuses
    [{ used: '999' }, 'At 1,000 calls, requests are refused until December 1.'],
    [{ used: '1000' }, 'Requests are refused until December 1.'],
    [{ used: '1001' }, 'Requests are refused until December 1.'],
    [{ used: '999', period: forever }, 'At 1,000 calls, requests are refused.'],
    [{ used: '1000', period: forever }, 'Requests are refused: this limit does not reset.'],
    [{ used: '0', limit: '0' }, 'Your plan includes none, so requests are refused.'],
    // A soft one with a price bills
    [{ used: '1', enforcement: 'SOFT', price, estimatedCost: cost('0') }, 'Beyond 1,000 calls, each call costs $0.10.'],
    [{ used: '1000', enforcement: 'SOFT', price, estimatedCost: cost('0') }, 'Each further call costs $0.10.'],
    [
      { used: '1034', enforcement: 'SOFT', price, estimatedCost: cost('340') },
      'Each further call costs $0.10; $3.40 so far.',
    ],
    [{ used: '0', limit: '0', enforcement: 'SOFT', price, estimatedCost: cost('0') }, 'Each call costs $0.10.'],
    [{ used: '1', enforcement: 'SOFT', estimatedCost: cost('0') }, 'Beyond 1,000 calls, further use is billed.'],
    [{ used: '1034', enforcement: 'SOFT', estimatedCost: cost('340') }, 'Further use is billed; $3.40 so far.'],
    // A soft one without is a line, no more
    [{ used: '1', enforcement: 'SOFT' }, 'Beyond 1,000 calls, requests still go through.'],
    [{ used: '1000', enforcement: 'SOFT' }, 'Requests still go through.'],
    // No limit
    [{ limit: null }, 'No limit: nothing is refused.'],
    [{ limit: null, price, estimatedCost: cost('0') }, 'Each call costs $0.10.'],
    [{ limit: null, price, credits: '5', estimatedCost: cost('0') }, 'After your credits, each call costs $0.10.'],
    // A price that is not one a unit
    [{ used: '1', enforcement: 'SOFT', price: inTiers, estimatedCost: cost('0') }, BILLED_BEYOND],
    [
      { used: '1', enforcement: 'SOFT', price: { ...price, packageSize: '100' }, estimatedCost: cost('0') },
      BILLED_BEYOND,
    ],
    [{ limit: null, estimatedCost: cost('70') }, 'Further use is billed; $0.70 so far.'],
  ])('%j: %s', (changes, says) => expect(plain(figures(changes).outlook)).toBe(says));
});

describe('figures', () => {
  it.each<[Partial<MeterUsage>, string, string | null, string | null]>([
    // used         value text                        percent  sign
    [{ used: '0' }, '0 of 1,000 calls, 0%', '0%', null],
    [{ used: '1' }, '1 of 1,000 calls, <1%', '<1%', null],
    [{ used: '999.999999999' }, '999.999999999 of 1,000 calls, 99%', '99%', 'Near the limit'],
    [{ used: '1000' }, '1,000 of 1,000 calls, 100%', '100%', 'Limit reached'],
    [{ used: '1250' }, '1,250 of 1,000 calls, 125%', '125%', 'Over the limit'],
    [{ used: '7', limit: null }, '7 calls used, no limit', null, null],
    [
      { used: '9', limit: null, thresholds: [{ kind: 'USED', value: '5' }] },
      '9 calls used, no limit',
      null,
      'Threshold reached',
    ],
    [{ used: '0', limit: '0' }, '0 of 0 calls', null, 'Not included'],
  ])('%j: %s', (changes, valueText, percent, sign) => {
    const found = figures(changes);
    expect([plain(found.valueText), found.percent, found.sign]).toEqual([valueText, percent, sign]);
  });

  it('offers an upgrade from the first threshold on, never on an unlimited plan', () => {
    const offers = [
      { used: '799' },
      { used: '800' },
      { used: '1000' },
      { used: '0', limit: '0' },
      { limit: null },
      { limit: null, thresholds: [{ kind: 'USED' as const, value: '5' }] },
    ].map((changes) => figures(changes).nearLimit);
    expect(offers).toEqual([false, true, true, true, false, false]);
  });

  it('speaks the language it is given, and lets every string be replaced', () => {
    const units = { call: { one: 'Aufruf', other: 'Aufrufe' } };
    const messages = {
      ofLimit: 'von {limit}',
      remaining: (values: Readonly<Record<string, string>>) => `noch ${values.remaining}`,
      units,
    };
    const german = figures({ used: '1234.5', limit: '20000' }, { locale: 'de-DE', messages });
    expect(plain(`${german.used} ${german.ofLimit}, ${german.rest}, ${german.percent}`)).toBe(
      '1.234,5 von 20.000 Aufrufe, noch 18.765,5 Aufrufe, 6 %',
    );
    expect(figures({ used: '412' }, { locale: 'ar-EG' }).used).toBe('٤١٢');
  });

  it('leaves a placeholder that has no value where it is seen', () => {
    expect(figures({}, { messages: { ofLimit: 'of {limits}' } }).ofLimit).toBe('of {limits}');
  });
});

describe('alerts', () => {
  it.each<[Partial<MeterAlert>, string]>([
    [{}, '80% of 1,000 calls used'],
    [{ threshold: { kind: 'FRACTION', value: '1' } }, 'All 1,000 calls used'],
    [{ threshold: { kind: 'FRACTION', value: '0.5' }, limit: null, used: '50' }, '50 calls used'],
    [{ threshold: { kind: 'USED', value: '500' } }, '500 calls used'],
    [{ threshold: { kind: 'REMAINING', value: '25' } }, 'Only 25 calls left'],
    [{ threshold: { kind: 'REMAINING_FRACTION', value: '0.1' }, used: '900' }, 'Only 100 calls left'],
    [{ threshold: { kind: 'EVERY', value: '100' }, used: '700' }, '700 calls used'],
    [{ threshold: { kind: 'SPEND', value: '5000' }, used: '700' }, '700 calls used'],
    [{ threshold: { kind: 'USED', value: '500', falling: true }, used: '480' }, '480 calls used'],
    [{ threshold: { kind: 'FRACTION', value: '0.5', falling: true }, used: '480' }, '480 calls used'],
  ])('%j: %s', (changes, says) => {
    expect(view({}, {}, [alert('a', '0.8', changes)]).alerts.map(({ text }) => plain(text))).toEqual([says]);
  });

  it('come newest first, of this feature and period only, three at a time', () => {
    const old = alert('old', '1', { raisedAt: '2026-10-31T23:59:59Z' });
    const other = alert('other', '1', { featureKey: 'storage' });
    const many = ['a', 'b', 'c', 'd'].map((id) => alert(id, '0.8'));
    const { alerts, moreAlerts } = view({}, {}, [old, other, ...many]);
    expect([alerts.map(({ id }) => id).join(''), moreAlerts]).toEqual(['dcb', '1 more']);
  });
});

describe('states', () => {
  it.each([
    ['loading', 'loading', null],
    ['calm', 'live', null],
    ['stale', 'stale', null],
    ['denied', 'problem', 'No access to this meter'],
    ['absent', 'problem', 'Not in your plan'],
    ['failed', 'problem', 'Usage could not be loaded'],
  ])('%s', (name, phase, title) => {
    const state = fixtures[name];
    if (!state) throw new Error(`no fixture ${name}`);
    const described = describeMeter(state, options);
    expect([described.phase, described.notice?.title ?? null]).toEqual([phase, title]);
    expect(described.figures === null).toBe(phase === 'loading' || phase === 'problem');
  });

  it('is titled by the app, the feature, or at least something', () => {
    expect(view({}, { label: 'Calls' }).title).toBe('Calls');
    expect(view({}).title).toBe('API calls');
    expect(describeMeter(initialState, options).title).toBe('Usage');
  });
});
