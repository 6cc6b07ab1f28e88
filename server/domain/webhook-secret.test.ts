/** Goal: a secret that is replaced signs for another day. Method: rotations, one and several, by hand. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { newWebhookSecret, ROTATION_OVERLAP_MS, rotated, SECRETS_MAX, secretsAt } from './webhook-secret.ts';

it('is whsec_ and 32 random bytes', () => {
  const [one, other] = [newWebhookSecret(randomBytes), newWebhookSecret(randomBytes)];
  expect(Buffer.from(one.replace('whsec_', ''), 'base64')).toHaveLength(32);
  expect(one).not.toBe(other);
});

it('the one before signs for a day beside the new one, which is first', () => {
  const secrets = rotated([{ secret: 'a', endsAtMs: null }], 'b', 1_000);
  const at = (ms: number) => secretsAt(secrets, ms).map(({ secret }) => secret);
  expect(at(1_000 + ROTATION_OVERLAP_MS - 1)).toEqual(['b', 'a']);
  expect(at(1_000 + ROTATION_OVERLAP_MS)).toEqual(['b']);
});

it('replaced twice, none of them lives longer than it was to', () => {
  const twice = rotated(rotated([{ secret: 'a', endsAtMs: null }], 'b', 0), 'c', 5_000);
  expect(twice).toEqual([
    { secret: 'c', endsAtMs: null },
    { secret: 'b', endsAtMs: 5_000 + ROTATION_OVERLAP_MS },
    { secret: 'a', endsAtMs: ROTATION_OVERLAP_MS },
  ]);
  expect(rotated(twice, 'd', ROTATION_OVERLAP_MS).map(({ secret }) => secret)).toEqual(['d', 'c', 'b']);
});

it('replaced again and again within a day, the newest three sign, each as long as it was to', () => {
  let secrets = [{ secret: 's0', endsAtMs: null as number | null }];
  for (let i = 1; i <= 20; i += 1) secrets = [...rotated(secrets, `s${i}`, i)];
  expect(SECRETS_MAX).toBe(3);
  expect(secrets).toEqual([
    { secret: 's20', endsAtMs: null },
    { secret: 's19', endsAtMs: 20 + ROTATION_OVERLAP_MS },
    { secret: 's18', endsAtMs: 19 + ROTATION_OVERLAP_MS },
  ]);
});
