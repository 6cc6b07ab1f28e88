/** Goal: whatever order things are heard in, the meter ends where it should. Method: a table and laws over streams. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alert, usage } from '../playground/fixtures.ts';
import { ALERTS_MAX, initialState, type MeterEvent, type MeterState, reduce } from './state.ts';

const after = (...events: MeterEvent[]): MeterState => events.reduce(reduce, initialState);
const heard: MeterEvent = { type: 'usage', usage: usage() };
const live: MeterEvent = { type: 'connection', connection: 'live' };
const lost: MeterEvent = { type: 'connection', connection: 'reconnecting' };
const problem = (name: 'denied' | 'absent' | 'failed', isFinal: boolean): MeterEvent => ({
  type: 'problem',
  problem: name,
  isFinal,
});
const spell = ({ connection, usage: shown, problem: wrong }: MeterState): string =>
  `${connection} ${shown ? shown.used : '-'} ${wrong ?? 'well'}`;

describe('state of a meter', () => {
  it.each<[string, MeterEvent[], string]>([
    ['nothing heard', [], 'connecting - well'],
    ['the first numbers', [live, heard], 'live 412 well'],
    ['a lost connection keeps the numbers', [live, heard, lost], 'reconnecting 412 well'],
    [
      'a failure that goes on trying keeps them as stale',
      [live, heard, problem('failed', false)],
      'reconnecting 412 well',
    ],
    ['a refusal takes them away', [live, heard, problem('denied', true)], 'live - denied'],
    ['a failure before any numbers is told', [problem('failed', false)], 'connecting - failed'],
    ['numbers after all', [problem('failed', false), live, heard], 'live 412 well'],
    [
      'a feature that is not in the plan',
      [live, { type: 'usage', usage: usage({ entitled: false }) }],
      'live - absent',
    ],
    ['another try', [problem('denied', true), { type: 'restart' }], 'connecting - well'],
  ])('%s', (_, events, says) => expect(spell(after(...events))).toBe(says));

  const ids = fc.constantFrom('a', 'b', 'c', 'd');
  const events = fc.array(
    fc.oneof(
      ids.map((id): MeterEvent => ({ type: 'alert', alert: alert(id, '0.8') })),
      ids.map((alertId): MeterEvent => ({ type: 'dismiss', alertId })),
      fc.constantFrom(heard, live, lost, problem('failed', false)),
    ),
  );

  it('an alert is shown at most once, and never again once it is dismissed', () => {
    fc.assert(
      fc.property(events, ids, events, (before, alertId, later) => {
        const state = after(...before, { type: 'dismiss', alertId }, ...later);
        const shown = state.alerts.map(({ id }) => id);
        expect(new Set(shown).size).toBe(shown.length);
        expect(shown).not.toContain(alertId);
      }),
    );
  });

  it('hearing everything twice is hearing it once', () => {
    fc.assert(
      fc.property(events, (all) => {
        const twice = all.flatMap((event) => [event, event]);
        expect(after(...twice)).toEqual(after(...all));
      }),
    );
  });

  it('does not grow without bound', () => {
    const many = Array.from(
      { length: ALERTS_MAX + 5 },
      (_, n): MeterEvent => ({ type: 'alert', alert: alert(`${n}`, '1') }),
    );
    const { alerts } = after(...many);
    expect([alerts.length, alerts.at(-1)?.id]).toEqual([ALERTS_MAX, String(ALERTS_MAX + 4)]);
  });
});
