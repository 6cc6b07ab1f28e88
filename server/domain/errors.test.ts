/**
 * Goal: whatever is wrong with a call is told in whole sentences, at the field that is at fault. Method: everything that the
 * module exports, none left out; doors and verbs are held to the same by the tables of `tests/api/`.
 */
import { describe, expect, it } from 'vitest';
import * as errors from './errors.ts';
import { unitsOf } from './units.ts';

const calls = { key: 'calls', aggregation: 'sum' } as const;

/** By its name in the module: everything that it says. */
const SAID: Readonly<Record<string, readonly errors.MeterError[]>> = {
  customerNotFound: [errors.customerNotFound('acme')],
  featureNotFound: [errors.featureNotFound('call', ['calls']), errors.featureNotFound('zebras', ['calls'])],
  planNotFound: [errors.planNotFound('prro', ['pro']), errors.planNotFound('zebras', [])],
  invalidAmount: [errors.invalidAmount('Amount 0 uses nothing; send another.')],
  invalidTimestamp: [errors.invalidTimestamp('It lies too far back.')],
  invalidInput: [errors.invalidInput(['input', 'name'], '`name` is empty.')],
  reservationNotFound: [errors.reservationNotFound()],
  reservationExpired: [errors.reservationExpired(0)],
  reservationClosed: [
    errors.reservationClosed('committed with 3', 'released'),
    errors.reservationClosed('released', 'committed'),
  ],
  billingDisabled: [errors.billingDisabled()],
  creditPackNotFound: [errors.creditPackNotFound('bg', ['big']), errors.creditPackNotFound('big', [])],
  invoiceNotFound: [errors.invoiceNotFound(7)],
  grantNotFound: [errors.grantNotFound()],
  eventNotFound: [errors.eventNotFound()],
  eventAlreadyReversed: [errors.eventAlreadyReversed()],
  irreversible: [
    errors.irreversible(calls, unitsOf('-2')),
    errors.irreversible(calls, 0n),
    errors.irreversible({ key: 'disk', aggregation: 'latest' }, unitsOf('2')),
  ],
  walletNotFound: [errors.walletNotFound('usd')],
  insufficientBalance: [errors.insufficientBalance('The wallet holds 5; pay out at most that.')],
};

describe('an error', () => {
  it('is in this table, if it is in the module', () => {
    const makers = Object.entries(errors).filter(
      ([, made]) => typeof made === 'function' && made !== errors.MeterError,
    );
    expect(Object.keys(SAID).sort()).toEqual(makers.map(([name]) => name).sort());
  });

  it.each(Object.values(SAID).flat())('%s', ({ code, message, path }) => {
    expect(errors.ERROR_CODES).toHaveProperty(code);
    expect(message).toMatch(/^[A-Z`].*[.?]$/);
    expect(path?.[0]).toBe('input');
  });

  it.each(Object.entries(errors.ERROR_CODES))('%s is described in a sentence', (_, description) => {
    expect(description).toMatch(/^[A-Z].*\.$/);
  });

  it('of what gave back says what it is, and what to do instead', () => {
    expect(errors.irreversible(calls, unitsOf('-2')).message).toBe(
      'The event gave back 2 of "calls", and only a use can be reversed, not a give-back; if they were used after all, record that with recordUsage.',
    );
  });
});
