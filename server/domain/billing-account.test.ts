/** Goal: when charging by itself stops, and when it goes on. Method: rows of charges, one after the other. */
import { describe, expect, it } from 'vitest';
import { afterCharge, type Charged, HARD_DECLINES, NO_TOP_UPS, stoppedFor } from './billing-account.ts';

const charged = (text: string): Charged => {
  const [reason = '', paymentMethodId = 'card'] = text.split('/');
  return reason === 'paid' ? { outcome: 'paid', paymentMethodId } : { outcome: 'failed', reason, paymentMethodId };
};

describe('charging by itself', () => {
  it.each([
    ['goes on while it is paid', ['paid', 'paid'], null],
    ['goes on after two refusals that may pass', ['insufficient_funds', 'do_not_honor'], null],
    ['stops after three in a row', ['insufficient_funds', 'do_not_honor', 'generic_decline'], 'generic_decline'],
    ['counts anew after one that was paid', ['do_not_honor', 'do_not_honor', 'paid', 'do_not_honor'], null],
    ['counts anew for another card', ['do_not_honor', 'do_not_honor', 'do_not_honor/other'], null],
    ['stops at once for a card that is gone', ['stolen_card'], 'stolen_card'],
    [
      'stops after three times of asking the customer',
      Array<string>(3).fill('authentication_required'),
      'authentication_required',
    ],
  ] as const)('%s', (_what, charges, stopped) => {
    const standing = charges.map(charged).reduce(afterCharge, NO_TOP_UPS);
    expect(standing.stopped).toBe(stopped);
  });

  it('goes on with another payment method', () => {
    const standing = afterCharge(NO_TOP_UPS, charged('expired_card'));
    expect(stoppedFor(standing, 'card')).toBe('expired_card');
    expect(stoppedFor(standing, 'other')).toBeNull();
    expect(stoppedFor(NO_TOP_UPS, 'card')).toBeNull();
  });

  it('knows which refusals pass', () => {
    for (const word of [
      'insufficient_funds',
      'processing_error',
      'try_again_later',
      'authentication_required',
      'a_new_word',
    ])
      expect(HARD_DECLINES.has(word)).toBe(false);
  });
});
