/** Goal: the tests of this folder never move real money, and never leave Stripe out unsaid. Method: a table of keys. */
import { describe, expect, it } from 'vitest';
import { stripesFor } from './either.ts';

const names = (secretKey: string | undefined): readonly string[] => stripesFor(secretKey).all.map(({ name }) => name);

describe('a key', () => {
  it.each(['sk_test_something', 'rk_test_something'])('of a sandbox has them run there, too: %s', (secretKey) => {
    expect(names(secretKey)).toEqual(['the fake Stripe', 'Stripe']);
    expect(stripesFor(secretKey).note).toBeNull();
  });

  it.each([undefined, ''])('that is not there is said: %j', (secretKey) => {
    expect(names(secretKey)).toEqual(['the fake Stripe']);
    expect(stripesFor(secretKey).note).toContain('STRIPE_SECRET_KEY=sk_test_');
  });

  it.each(['sk_live_secret', 'rk_live_secret', 'pk_test_secret', 'secret'])(
    'of another kind is refused: %s',
    (secretKey) => {
      expect(() => stripesFor(secretKey)).toThrow(/a sandbox's key alone/);
      expect(() => stripesFor(secretKey)).not.toThrow(/secret/);
    },
  );
});
