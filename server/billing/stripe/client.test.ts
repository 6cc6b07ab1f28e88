/** Goal: the SDK goes where the settings say, and never charges whom it must not. Method: tables. */
import { expect, it } from 'vitest';
import { connectStripe, modeOfKey, onAccount, problemOfMode } from './client.ts';

it.each([
  [null, 'api.stripe.com', '443', 'https'],
  ['http://127.0.0.1:12111', '127.0.0.1', '12111', 'http'],
  ['http://proxy.example', 'proxy.example', 80, 'http'],
  ['https://proxy.example', 'proxy.example', 443, 'https'],
  ['http://[::1]:9000', '::1', '9000', 'http'],
])('with the base %s it asks %s:%s by %s', (apiBase, host, port, protocol) => {
  const stripe = connectStripe({ secretKey: 'sk_test_1234', apiBase });
  expect([stripe.getApiField('host'), stripe.getApiField('port'), stripe.getApiField('protocol')]).toEqual([
    host,
    port,
    protocol,
  ]);
});

it('names itself, asks again, and waits no longer than it should', () => {
  const stripe = connectStripe({ secretKey: 'sk_test_1234', apiBase: null });
  expect([stripe.getMaxNetworkRetries(), stripe.getApiField('timeout')]).toEqual([2, 20_000]);
  expect(onAccount('acct_1')).toEqual({ stripeAccount: 'acct_1' });
  expect(onAccount(null)).toEqual({});
});

it.each([
  ['sk_test_1', 'test'],
  ['rk_test_live_', 'test'],
  ['sk_live_1', 'live'],
  ['rk_live_1', 'live'],
] as const)('%s is a key of %s mode', (key, mode) => {
  expect(modeOfKey(key)).toBe(mode);
  expect(problemOfMode(key, { name: 'T', mode })).toBeNull();
  expect(problemOfMode(key, { name: 'T', mode: mode === 'live' ? 'test' : 'live' })).toContain(
    `is a ${mode} key, and "T"`,
  );
});
