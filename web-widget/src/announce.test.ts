/** Goal: a screen reader hears what matters, politely. Method: a timer moved by hand. */
import { describe, expect, it } from 'vitest';
import { alert, NOW, usage } from '../playground/fixtures.ts';
import { ANNOUNCE_GAP_MS, ANNOUNCE_SETTLE_MS, createAnnouncer, newsBetween, type Timer } from './announce.ts';
import { describeMeter, type MeterView } from './describe.ts';
import { initialState, type MeterState } from './state.ts';

const view = (used: string, changes: Partial<MeterState> = {}): MeterView =>
  describeMeter(
    { ...initialState, connection: 'live', usage: usage({ used }), ...changes },
    { now: NOW, locale: 'en-GB', timeZone: 'UTC' },
  );
const told = (before: MeterView, after: MeterView): string[] =>
  newsBetween(before, after).map(({ text }) => text.replaceAll('\u00a0', ' '));

describe('news', () => {
  it('the first numbers are no news, nor is a little more', () => {
    expect(told(describeMeter(initialState, { now: NOW }), view('412'))).toEqual([]);
    expect(told(view('412'), view('413'))).toEqual([]);
  });

  it('another tenth of the limit is', () => {
    expect(told(view('499'), view('500'))).toEqual(['500 of 1,000 calls, 50%']);
  });

  it('a reached threshold says what happens next', () => {
    expect(told(view('799'), view('800'))).toEqual([
      'Near the limit. 800 of 1,000 calls, 80%. At 1,000 calls, requests are refused until 1 December.',
    ]);
  });

  it('every alert is told once, oldest first', () => {
    const [first, second] = [alert('a', '0.8'), alert('b', '1')];
    const before = view('1000');
    const after = view('1000', { alerts: [first, second] });
    expect(told(before, after)).toEqual(['API calls: 80% of 1,000 calls used', 'API calls: All 1,000 calls used']);
    expect(told(after, after)).toEqual([]);
  });

  it('a lost connection is told, and taken back when it was not said yet', () => {
    const stale = view('412', { connection: 'reconnecting' });
    expect(told(view('412'), stale)).toEqual(['Reconnecting… These numbers may be behind.']);
    expect(told(stale, view('412'))).toEqual(['']);
  });
});

describe('announcer', () => {
  /** A timer that fires when told to. */
  const handTimer = () => {
    const due = new Map<number, () => void>();
    let next = 0;
    const waits: number[] = [];
    const timer: Timer = {
      after(ms, callback) {
        const id = next++;
        waits.push(ms);
        due.set(id, callback);
        return () => due.delete(id);
      },
    };
    const fire = (): void => {
      const [id, callback] = [...due][0] ?? [];
      if (id === undefined || !callback) throw new Error('nothing is due');
      due.delete(id);
      callback();
    };
    return { timer, fire, waits, pending: () => due.size };
  };

  it('gathers a burst, says it once, and then keeps still', () => {
    const spoken: string[] = [];
    const { timer, fire, waits, pending } = handTimer();
    const { tell } = createAnnouncer((text) => spoken.push(text), timer);
    tell([{ key: 'state', text: '50%' }]);
    tell([{ key: 'a', text: 'Alert one.' }]);
    tell([{ key: 'state', text: '80%' }]);
    expect(spoken).toEqual([]);
    fire();
    expect(spoken).toEqual(['80%. Alert one.']); // one status, the newest; no alert lost
    tell([{ key: 'state', text: '90%' }]);
    expect(spoken).toHaveLength(1);
    fire();
    expect(spoken).toEqual(['80%. Alert one.', '90%']);
    fire();
    expect([waits, pending()]).toEqual([[ANNOUNCE_SETTLE_MS, ANNOUNCE_GAP_MS, ANNOUNCE_GAP_MS], 0]);
  });

  it('says nothing of a connection that is back before it was said', () => {
    const spoken: string[] = [];
    const { timer, fire } = handTimer();
    const { tell } = createAnnouncer((text) => spoken.push(text), timer);
    tell([{ key: 'state', text: 'Reconnecting…' }]);
    tell([{ key: 'state', text: '' }]);
    fire();
    expect(spoken).toEqual([]);
  });

  it('stops with its meter', () => {
    const { timer, pending } = handTimer();
    const { tell, stop } = createAnnouncer(() => {}, timer);
    tell([{ key: 'state', text: '50%' }]);
    stop();
    expect(pending()).toBe(0);
  });
});
