/** Goal: every row tells something new, and never more than fifty. Method: each row spelled in a word. */
import type { Usage } from '@metergraph/client-sdk';
import { describe, expect, it } from 'vitest';
import { ROWS_MAX, reduceStream, type Stream, type StreamEvent, type StreamRow, startStream } from './stream.ts';
import { alert, customer, DECEMBER, usage } from './testing/usages.ts';

const AT = '2026-11-20T10:00:00.000Z';
const NOTHING = { customers: [], events: [], alerts: [] };

const spellRow = (row: StreamRow): string =>
  row.kind === 'alert' ? `alert ${row.id}` : `${row.usage.used} (${row.change ?? '?'})`;
const spell = (rows: readonly StreamRow[]): string => rows.map(spellRow).join(', ');

const heard = (...usages: readonly Usage[]): StreamEvent => ({ type: 'usage', live: { usages, at: AT } });
const raised = (id: string): StreamEvent => ({ type: 'alert', alert: alert({ id }) });
const hold = (isHeld: boolean): StreamEvent => ({ type: 'hold', isHeld });

/** From acme's 10 calls on. */
const after = (...events: readonly StreamEvent[]): Stream =>
  events.reduce(reduceStream, startStream({ ...NOTHING, customers: [customer('acme', [{}])] }));

describe('what is heard', () => {
  it.each([
    ['a use', [heard(usage({ used: '13' }))], '13 (3)'],
    ['units given back', [heard(usage({ used: '4' }))], '4 (-6)'],
    ['the newest first', [heard(usage({ used: '11' })), heard(usage({ used: '12.5' }))], '12.5 (1.5), 11 (1)'],
    ['nothing new', [heard(usage())], ''],
    ['another limit', [heard(usage({ limit: '500' }))], '10 (0)'],
    ['a new period', [heard(usage({ used: '2', period: DECEMBER }))], '2 (2)'],
    ['another customer', [heard(usage({ used: '5', referenceId: 'other' }))], '5 (?)'],
    ['two meters at once', [heard(usage({ used: '11' }), usage({ key: 'seats', used: '1' }))], '1 (?), 11 (1)'],
    ['an alert, once', [heard(usage({ used: '80' })), raised('a1'), raised('a1')], 'alert a1, 80 (70)'],
  ] as const)('%s', (_name, events, rows) => expect(spell(after(...events).rows)).toBe(rows));

  it('names the feature of an alert by the usage that is known', () => {
    const [row] = after(raised('a1')).rows;
    expect(row?.kind === 'alert' && row.usage?.feature.key).toBe('calls');
  });

  it('keeps the newest fifty, each with an id of its own', () => {
    const events = Array.from({ length: ROWS_MAX + 5 }, (_, index) => heard(usage({ used: String(11 + index) })));
    const { rows } = after(...events);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(ROWS_MAX);
    expect(rows.map(spellRow).at(-1)).toBe('16 (1)');
  });
});

describe('held by a reader', () => {
  it('keeps its rows still and the news aside, also an alert heard twice', () => {
    const stream = after(
      heard(usage({ used: '11' })),
      hold(true),
      heard(usage({ used: '12' })),
      raised('a1'),
      raised('a1'),
    );
    expect(spell(stream.rows)).toBe('11 (1)');
    expect(spell(stream.held)).toBe('alert a1, 12 (1)');
  });

  it('puts the news on top when let go', () => {
    const stream = after(heard(usage({ used: '11' })), hold(true), heard(usage({ used: '12' })), hold(false));
    expect(spell(stream.rows)).toBe('12 (1), 11 (1)');
    expect(stream.held).toEqual([]);
  });

  it('is bounded however long it takes', () => {
    const events = Array.from({ length: 200 }, (_, index) => heard(usage({ used: String(11 + index) })));
    const stream = after(hold(true), ...events);
    expect(stream.held).toHaveLength(ROWS_MAX);
    expect(reduceStream(stream, hold(false)).rows).toHaveLength(ROWS_MAX);
  });
});

describe('the start', () => {
  const event = (id: string, recordedAt: string, usedAfter: string) =>
    ({ id, referenceId: 'acme', featureKey: 'calls', amount: '1', usedAfter, recordedAt }) as const;
  const start = (parts: Partial<Parameters<typeof startStream>[0]>) =>
    spell(startStream({ customers: [customer('acme', [{}])], events: [], alerts: [], ...parts }).rows);

  it('puts events and alerts in one order, an alert above the use that raised it', () => {
    const events = [event('e2', '2026-11-20T11:00:00Z', '81'), event('e1', AT, '80')];
    expect(start({ events, alerts: [alert()] })).toBe('81 (1), alert a1, 80 (1)');
  });

  it('leaves out what belongs to an earlier period or to nobody known', () => {
    const old = event('e1', '2026-10-31T23:59:59Z', '99');
    expect(start({ events: [old, { ...event('e2', AT, '1'), referenceId: 'gone' }] })).toBe('');
  });
});
