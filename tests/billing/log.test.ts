/**
 * Goal: no secret of Stripe's gets into a log, nor what its errors carry along of a customer. Method: log them all, as they
 * are and inside of others, and read the lines.
 */
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../server/logger.ts';

const SECRET = 'Zq3'.repeat(11).slice(0, 32);

describe('an error of Stripe’s', () => {
  const card = { id: 'pm_1', billing_details: { email: 'pay@acme.example' } };
  const intent = { id: 'pi_1', client_secret: `pi_1_secret_${SECRET}`, last_payment_error: { payment_method: card } };
  const declined = new Stripe.errors.StripeCardError({
    type: 'card_error',
    code: 'card_declined',
    message: 'Your card was declined.',
    requestId: 'req_1',
    payment_intent: intent as unknown as Stripe.PaymentIntent,
    payment_method: card as unknown as Stripe.PaymentMethod,
  });
  const lineOf = (fields: object): string => {
    const lines: string[] = [];
    createLogger('info', (line) => lines.push(line)).info(fields, 'refused');
    return lines.join('');
  };

  it('is told by its type, code, request and sentence, and by nothing that it carries', () => {
    const line = lineOf({ err: declined });
    const { err } = JSON.parse(line) as { readonly err: Readonly<Record<string, unknown>> };
    expect(err).toEqual({
      type: 'StripeCardError',
      code: 'card_declined',
      requestId: 'req_1',
      message: 'Your card was declined.',
      stack: expect.stringContaining('Your card was declined.'),
    });
  });

  it.each([
    ['as the cause of another', { err: new Error('no charge', { cause: declined }) }],
    ['in a field of another', { err: Object.assign(new Error('no charge'), { reason: declined }) }],
    ['among several', { err: new AggregateError([declined, new Error('and this')], 'no charge') }],
    ['deeper still', { err: new AggregateError([new AggregateError([declined])], 'no charge') }],
  ])('%s carries nothing either', (_what, fields) => {
    const line = lineOf(fields);
    expect(line).toContain('no charge');
    for (const secret of [SECRET, 'pay@acme.example', 'client_secret']) expect(line).not.toContain(secret);
  });

  it.each([
    ['a key', { key: `sk_live_${SECRET}` }],
    ['a restricted key, in a sentence', { err: new Error(`No such key: rk_test_${SECRET}`) }],
    ['the secret of an endpoint', { found: { deep: { deeper: [`whsec_${SECRET}`] } } }],
    ['the secret of a payment, by its name', { payment: { client_secret: SECRET } }],
    ['the secret of a payment, by its look', { url: `https://pay.example/?s=seti_1Abc_secret_${SECRET}` }],
  ])('%s is kept back', (_what, fields) => expect(lineOf(fields)).not.toContain(SECRET));
});
