/** Goal: what callers were told is counted as the books must have it. Method: replies by hand. */
import { expect, it } from 'vitest';
import { Tally } from './tally.ts';

const reply = (...results: readonly object[]): string => JSON.stringify({ data: results });
const ALLOWED = { allowed: true, replayed: false };
const DENIED = { allowed: false };
const REPLAYED = { allowed: true, replayed: true };

it.each([
  // replies, calls in each, says
  [[reply({ allowed: true }), reply(ALLOWED)], 1, { allCalls: 2, allAccepted: 2, allReplayed: 0, firstRefusal: null }],
  [[reply(ALLOWED), reply(REPLAYED)], 1, { allCalls: 2, allAccepted: 2, allReplayed: 1, firstRefusal: null }],
  [[reply(REPLAYED, ALLOWED, REPLAYED)], 3, { allCalls: 3, allAccepted: 3, allReplayed: 2, firstRefusal: null }],
  [[reply(ALLOWED, DENIED)], 2, { allCalls: 2, allAccepted: 1, allReplayed: 0, firstRefusal: reply(ALLOWED, DENIED) }],
  [['Bad Gateway'], 1, { allCalls: 1, allAccepted: 0, allReplayed: 0, firstRefusal: 'Bad Gateway' }],
])('%j, of %d calls each', (replies, callsPerRequest, says) => {
  const tally = new Tally(callsPerRequest);
  for (const body of replies) tally.count(body, performance.now());
  expect(tally.result()).toMatchObject(says);
});
