/** Goal: only Stripe is heard, and only of now. Method: headers made by the SDK for bodies, secrets and times that differ. */
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { noticeOf, TOLERANCE_SECONDS } from './signature.ts';

const stripe = new Stripe('sk_test_none');
const NOW_S = 1_772_000_000;
const EVENT = JSON.stringify({ id: 'evt_1', object: 'event', type: 'invoice.paid', data: { object: {} } });
const THIN = JSON.stringify({
  id: 'evt_2',
  object: 'v2.core.event',
  type: 'v1.billing.meter.error_report_triggered',
  related_object: null,
});

const sign = (payload: string, secret: string, timestamp = NOW_S) =>
  stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });

const hear = (body: string, header: string | undefined, secrets: readonly string[] = ['whsec_new', 'whsec_old']) => {
  const heard = noticeOf(stripe, { body: Buffer.from(body), header }, secrets, NOW_S * 1_000);
  return 'code' in heard ? heard.code : `${heard.kind} ${heard.event.id}`;
};

describe('a notice', () => {
  it.each([
    ['signed', EVENT, sign(EVENT, 'whsec_new'), 'snapshot evt_1'],
    ['signed with the secret of before', EVENT, sign(EVENT, 'whsec_old'), 'snapshot evt_1'],
    ['that is thin', THIN, sign(THIN, 'whsec_new'), 'thin evt_2'],
    [
      'signed by both',
      EVENT,
      `${sign(EVENT, 'whsec_other')},${sign(EVENT, 'whsec_new').split(',')[1]}`,
      'snapshot evt_1',
    ],
    ['just in time', EVENT, sign(EVENT, 'whsec_new', NOW_S - TOLERANCE_SECONDS), 'snapshot evt_1'],
    ['too late', EVENT, sign(EVENT, 'whsec_new', NOW_S - TOLERANCE_SECONDS - 1), 'SIGNATURE_TOO_OLD'],
    ['of a time to come', EVENT, sign(EVENT, 'whsec_new', NOW_S + TOLERANCE_SECONDS + 1), 'SIGNATURE_TOO_OLD'],
    ['of another secret', EVENT, sign(EVENT, 'whsec_other'), 'SIGNATURE_INVALID'],
    ['of another body', `${EVENT} `, sign(EVENT, 'whsec_new'), 'SIGNATURE_INVALID'],
    [
      'with an old signature under a new time',
      EVENT,
      sign(EVENT, 'whsec_new', NOW_S - 900).replace(/t=\d+/, `t=${NOW_S}`),
      'SIGNATURE_INVALID',
    ],
    ['without a signature', EVENT, undefined, 'SIGNATURE_MISSING'],
    ['with an empty one', EVENT, '', 'SIGNATURE_MISSING'],
    ['with nonsense for one', EVENT, 'nonsense', 'SIGNATURE_INVALID'],
    ['with no time', EVENT, 'v1=00', 'SIGNATURE_INVALID'],
    ['that is no JSON', 'hello', sign('hello', 'whsec_new'), 'NOT_AN_EVENT'],
    ['that is no event', '{"id":"evt","type":"x"}', sign('{"id":"evt","type":"x"}', 'whsec_new'), 'NOT_AN_EVENT'],
  ])('%s', (_what, body, header, says) => expect(hear(body, header)).toBe(says));

  it('is heard by nobody without a secret', () => expect(hear(EVENT, sign(EVENT, ''), [])).toBe('SIGNATURE_INVALID'));
});
