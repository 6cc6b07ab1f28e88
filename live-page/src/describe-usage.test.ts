import { describe, expect, it } from 'vitest';
import { describeAlert, describeAmount, describeUse } from './describe-usage.ts';
import { alert, type UsageParts, usage } from './testing/usages.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');

describe('a use', () => {
  it.each([
    [{ used: '10' }, { used: '10', ofLimit: 'of 100\u00a0calls', filled: 0.1, tone: 'calm' }],
    [{ used: '80' }, { used: '80', ofLimit: 'of 100\u00a0calls', filled: 0.8, tone: 'notice' }],
    [{ used: '100' }, { used: '100', ofLimit: 'of 100\u00a0calls', filled: 1, tone: 'full' }],
    [
      { used: '1500', limit: null },
      { used: '1,500', ofLimit: 'calls', filled: null, tone: 'calm' },
    ],
  ] satisfies [UsageParts, object][])('%o', (parts, words) => expect(describeUse(usage(parts), NOW)).toEqual(words));

  it('over a soft limit is a warning, for nothing is refused', () => {
    expect(describeUse(usage({ used: '150', enforcement: 'SOFT' }), NOW)).toMatchObject({ filled: 1, tone: 'notice' });
  });
});

describe('an alert', () => {
  const row = (parts = {}, known = true) =>
    ({ kind: 'alert', id: 'a1', at: '', alert: alert(parts), usage: known ? usage() : null }) as const;

  it.each([
    [{}, '80% of 100\u00a0calls used', 'notice'],
    [{ threshold: { kind: 'FRACTION', value: '1', falling: false } }, 'All 100\u00a0calls used', 'full'],
    [{ threshold: { kind: 'REMAINING', value: '1', falling: false } }, 'Only 1\u00a0call left', 'notice'],
    [{ raisedAt: '2026-01-01T00:00:00Z' }, '80% of 100\u00a0calls used', 'notice'],
  ] as const)('%o says %s', (parts, text, tone) => expect(describeAlert(row(parts), NOW)).toEqual({ text, tone }));

  it('is worded without its usage, too', () => {
    expect(describeAlert(row({}, false), NOW).text).toBe('80% of 100 used');
  });
});

it.each([
  [{}, '20', '20 calls'],
  [{}, '1', '1 call'],
  [{ unit: 'e-mail' }, '20', '20 e-mails'],
  [{ unit: 'GB' }, '1000.5', '1,000.5 GB'],
  [{ unit: null }, '7', '7'],
])('of %o, %s is %s', (parts, amount, words) => expect(describeAmount(usage(parts), amount)).toBe(words));
