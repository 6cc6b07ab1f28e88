/** Goal: what is told of a counter adds up to what is billed, whatever happens to it. Method: tables, and laws over lives of counters. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUnits, ONE, roundToWhole, type Units, unitsOf } from './units.ts';
import {
  backoffMs,
  billableOf,
  countedAt,
  fateOf,
  GRACE_MS,
  nextStep,
  type Pending,
  QUANTITY_MAX,
  REPORTED_BACK_MAX_MS,
  RESEND_SAFE_MS,
  reportOf,
  windowCloses,
} from './usage-report.ts';

const at = (time: string): number => Date.parse(`2026-03-${time}Z`);
const told = (ms: number): string => new Date(ms).toISOString().slice(8, 23).replace('.000', '');

it.each([
  // now            period ends         window closes
  ['15T12:07:00', '20T00:00:00', '15T12:15:00'],
  ['15T12:15:00', '20T00:00:00', '15T12:30:00'], // the first instant of the next one
  ['15T12:07:00', null, '15T12:15:00'],
  ['15T12:07:00', '15T12:10:00', '15T12:10:00'], // not later than the period
  ['15T12:10:00', '15T12:10:00', '15T12:10:00'], // late use, in time for the invoice: at once
  ['15T13:09:59', '15T12:10:00', '15T13:09:59'],
  ['15T13:10:00', '15T12:10:00', '15T13:15:00'], // too late for it
])('what changes at %s in a period until %s is told at %s', (now, end, closes) => {
  expect(told(windowCloses(at(now), end === null ? null : at(end), 15 * 60_000))).toBe(closes);
});

it.each([
  // overage  unpriced  held  reported  ended   told   again at the end
  ['10', '0', '0', '0', false, '10', false],
  ['10.75', '0', '0', '0', false, '10', true], // a part of a unit stays
  ['10.75', '0', '0', '10', false, '0', true],
  ['11.25', '0', '0', '10', false, '1', true], // until it has come to a whole one
  ['10.5', '0', '0', '0', true, '10', false], // half-even
  ['11.5', '0', '0', '0', true, '12', false],
  ['11.5', '0', '0', '11', true, '1', false],
  ['9.25', '0', '0', '11', false, '-1', true], // toward what was told
  ['9.25', '0', '0', '11', true, '-2', false],
  ['10', '4', '0', '0', false, '6', false], // used while it had no price
  ['10', '0', '7', '0', false, '3', false], // held, and not used yet
  ['3', '0', '7', '0', false, '0', false],
])(
  '%s over, %s without a price, %s held, %s told, ended %s → %s',
  (overage, unpriced, held, reported, ended, says, again) => {
    const endMs = at('20T00:00:00');
    const counter = {
      overage: unitsOf(overage),
      unpriced: unitsOf(unpriced),
      held: unitsOf(held),
      reported: unitsOf(reported),
      periodEndMs: endMs,
    };
    const { quantity, dueAtMs } = reportOf(counter, ended ? endMs : endMs - 1);
    expect([formatUnits(quantity), dueAtMs]).toEqual([says, again ? endMs : null]);
  },
);

it('what one message has no room for goes into the next, at once', () => {
  const counter = { overage: QUANTITY_MAX + 5n * ONE, unpriced: 0n, held: 0n, reported: 0n, periodEndMs: null };
  expect(reportOf(counter, 7)).toEqual({ quantity: QUANTITY_MAX, dueAtMs: 7 });
  expect(reportOf({ ...counter, reported: QUANTITY_MAX }, 7)).toEqual({ quantity: 5n * ONE, dueAtMs: null });
});

const units = fc.bigInt({ min: 0n, max: 50n * ONE });
const life = fc.array(fc.record({ overage: units, unpriced: units, held: units, closes: fc.boolean() }), {
  minLength: 1,
  maxLength: 30,
});

it('messages and what stays always add up to what is billed, and to its rounded total when all is over', () => {
  fc.assert(
    fc.property(life, fc.nat(29), (moves, endsBefore) => {
      const endMs = 1_000;
      let reported = 0n;
      const messages: Units[] = [];
      const tell = (counter: (typeof moves)[number], nowMs: number): void => {
        const { quantity, dueAtMs } = reportOf({ ...counter, reported, periodEndMs: endMs }, nowMs);
        reported += quantity;
        messages.push(quantity);
        const rest = billableOf(counter) - reported;
        expect(rest < ONE && rest > -ONE).toBe(true);
        expect(quantity % ONE).toBe(0n);
        expect(dueAtMs === null).toBe(nowMs >= endMs || rest === 0n); // nothing is left that nobody comes back for
      };
      for (const [i, move] of moves.entries()) if (move.closes) tell(move, i < endsBefore ? 0 : endMs + i);
      const last = moves.at(-1);
      if (!last) return;
      tell(last, endMs + moves.length);
      const sum = messages.reduce((total, quantity) => total + quantity, 0n);
      expect(sum).toBe(roundToWhole(billableOf(last)));
      expect(sum).toBe(reported);
    }),
  );
});

const message = (fields: Partial<Pending> = {}): Pending => ({
  periodStartMs: at('01T00:00:00'),
  periodEndMs: at('15T00:00:00'),
  usedAtMs: at('14T10:20:30.456'),
  unknownSinceMs: null,
  countedAtMs: null,
  ...fields,
});

describe('a message counts', () => {
  const end = at('15T00:00:00');
  it.each([
    // used                billed from     first    now               counts
    ['14T10:20:30.456', null, false, '15T00:10:00', '14T10:20:30'],
    ['16T08:00:00', null, false, '16T09:00:00', '14T23:59:59'], // late use, in the period in which it was
    ['16T08:00:00', '15T00:00:00', false, '15T00:59:59', '14T23:59:59'], // its invoice is still open
    ['16T08:00:00', '15T00:00:00', false, '15T01:00:00', '15T00:00:00'], // it is not: on the next one
    ['14T10:20:30.456', '01T00:00:00', false, '15T01:00:00', '14T10:20:30'],
    ['14T10:20:30.456', '14T12:00:00.500', false, '14T14:00:00', '14T12:00:01'],
    ['14T10:20:30.456', '14T12:00:00', true, '14T12:00:30', '14T12:00:00'], // before the first one there is no invoice
    ['14T12:20:30.456', '14T12:00:00', true, '14T12:30:00', '14T12:20:30'],
  ])(
    'used at %s, with a billing period from %s, the first: %s, sent at %s: at %s',
    (used, from, first, now, counts) => {
      const pending = message({ usedAtMs: at(used), periodEndMs: end });
      const payer = { billedFromMs: from === null ? null : at(from), isFirstPeriod: first };
      expect(told(countedAt(pending, payer, at(now)))).toBe(counts);
    },
  );
});

describe('the next step', () => {
  const payer = {
    stripeCustomerId: 'cus_1',
    stripeAccount: null,
    billedFromMs: at('01T00:00:00'),
    billedUntilMs: at('15T00:00:00'),
    isFirstPeriod: false,
    endedAtMs: null,
  };
  const renewed = { ...payer, billedFromMs: at('15T00:00:00'), billedUntilMs: at('29T00:00:00') };
  const unbilled = { ...payer, billedFromMs: null, billedUntilMs: null };
  const ended = { ...payer, endedAtMs: at('14T12:00:00') };
  const counts = at('14T10:20:30');
  const inDoubt = message({ unknownSinceMs: counts, countedAtMs: counts });
  const HOUR_MS = 3_600_000;
  it.each([
    ['is to send', message(), payer, counts, { kind: 'send', countedAtMs: counts }],
    ['is to wait for a payer', message(), null, counts, { kind: 'wait', for: 'no_customer' }],
    [
      'is to wait until it is too old',
      message(),
      null,
      counts + REPORTED_BACK_MAX_MS,
      { kind: 'wait', for: 'no_customer' },
    ],
    ['is none when it is too old', message(), null, counts + REPORTED_BACK_MAX_MS + 456, { kind: 'too_old' }],
    [
      'is none though there is a payer by now',
      message(),
      { ...payer, billedUntilMs: counts + 2 * REPORTED_BACK_MAX_MS },
      counts + REPORTED_BACK_MAX_MS,
      { kind: 'too_old' },
    ],
    ['is to wait for a subscription', message(), unbilled, counts, { kind: 'wait', for: 'no_subscription' }],
    [
      'is none where there is none for too long',
      message(),
      unbilled,
      counts + REPORTED_BACK_MAX_MS + 456,
      { kind: 'too_old' },
    ],
    [
      'is to send while the last invoice is open',
      message(),
      ended,
      at('14T12:59:59'),
      { kind: 'send', countedAtMs: counts },
    ],
    ['is to wait once that is closed', message(), ended, at('14T13:00:00'), { kind: 'wait', for: 'no_subscription' }],
    [
      'is to wait with what was used after the end',
      message({ usedAtMs: at('14T12:00:00') }),
      ended,
      at('14T12:10:00'),
      { kind: 'wait', for: 'no_subscription' },
    ],
    [
      'is to send while its invoice is open',
      message(),
      payer,
      at('15T00:59:59'),
      { kind: 'send', countedAtMs: counts },
    ],
    ['is to wait for the period that runs', message(), payer, at('15T01:00:00'), { kind: 'wait', for: 'stale_period' }],
    ['is the same in doubt', inDoubt, payer, at('15T01:00:00'), { kind: 'wait', for: 'stale_period' }],
    [
      'is never too old for a period that is not known yet',
      message(),
      payer,
      counts + 2 * REPORTED_BACK_MAX_MS,
      { kind: 'wait', for: 'stale_period' },
    ],
    [
      'is to compare where nobody bills it any more',
      inDoubt,
      unbilled,
      counts,
      { kind: 'compare', countedAtMs: counts },
    ],
    [
      'is to send again',
      inDoubt,
      { ...payer, billedUntilMs: at('16T00:00:00') },
      counts + RESEND_SAFE_MS - 1,
      { kind: 'send', countedAtMs: counts },
    ],
    [
      'is to compare after 20 h',
      inDoubt,
      { ...payer, billedUntilMs: at('16T00:00:00') },
      counts + RESEND_SAFE_MS,
      { kind: 'compare', countedAtMs: counts },
    ],
    [
      'is to compare when its invoice was closed meanwhile',
      message({ unknownSinceMs: at('15T00:50:00'), countedAtMs: counts }),
      renewed,
      at('15T00:00:00') + HOUR_MS,
      { kind: 'compare', countedAtMs: counts },
    ],
    [
      'is for the next invoice when every try was refused',
      message({ countedAtMs: counts }),
      renewed,
      at('15T00:00:00') + HOUR_MS,
      { kind: 'send', countedAtMs: at('15T00:00:00') },
    ],
  ] as const)('%s', (_, pending, by, now, step) => expect(nextStep(pending, by, now)).toEqual(step));
});

it.each([
  // quantity  sum  known  others in doubt  sent last     fate
  [5n, 12n, 12n, false, null, 'missing'],
  [5n, 17n, 12n, false, null, 'arrived'],
  [-5n, 7n, 12n, false, null, 'arrived'],
  [5n, 13n, 12n, false, null, 'unclear'],
  [5n, 12n, 12n, true, null, 'unclear'], // of two, 5 and -5, both may be in it
  [5n, 17n, 12n, true, null, 'unclear'],
  [5n, 12n, 12n, false, '15T11:50:00', 'missing'],
  [5n, 12n, 12n, false, '15T11:50:01', 'unsettled'], // the biller counts minutes later
  [5n, 17n, 12n, false, '15T11:50:01', 'unsettled'],
] as const)('of %d, where %d are counted and %d known, others in doubt: %s, sent at %s: %s', (...row) => {
  const [quantity, sum, known, isDoubtful, tried, fate] = row;
  const span = { known, isDoubtful, triedAtMs: tried === null ? null : at(tried) };
  expect(fateOf(quantity, sum, span, at('15T12:00:00'))).toBe(fate);
});

it('waits longer with each try, and never so long that the grace goes by', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempts, random) => {
      const ms = backoffMs(attempts, random);
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(Math.min(GRACE_MS / 12, 1_000 * 2 ** Math.min(attempts, 20)) + 1);
    }),
  );
});
