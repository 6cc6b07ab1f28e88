/** Goal: a problem is told at the field of the input that it is about. Method: a table of paths that differ, and of some that don't. */
import { expect, it } from 'vitest';
import { inputPath } from './input-path.ts';

it.each([
  ['rateLimits.0.window', 'rateLimits.0.windowSeconds'],
  ['features.2.rateLimits.0.window', 'features.2.rateLimits.0.windowSeconds'],
  ['price.per', 'price.packageSize'],
  ['wallet.autoTopUp.coolOff', 'wallet.autoTopUp.coolOffSeconds'],
  ['credits.onRenewal.rollover.maxFraction', 'credits.rollover.maxFraction'],
  ['credits.onRenewal', 'credits.onRenewal'],
  ['price.tiers.0.unitAmount', 'price.tiers.0.unitAmount'],
  ['features.window.limit', 'features.window.limit'],
  ['price.0.amount', 'price.0.amount'],
])('%s is %s', (path, there) => expect(inputPath(path.split('.')).join('.')).toBe(there));
