/** Goal: no key comes twice, but for the share that is meant to, and then with its call. Method: many bodies, read back. */
import { describe, expect, it } from 'vitest';
import { bodies } from './bodies.ts';

type Call = { readonly referenceId: string; readonly idempotencyKey: string };
type Body = { readonly query: string; readonly variables: { readonly input: Call & { readonly inputs?: Call[] } } };

const COUNT = 10_000;

function sent(callsPerRequest: number, replayShare: number) {
  const nextBody = bodies({ customers: 50, keyPrefix: 'test', callsPerRequest, replayShare });
  const read = Array.from({ length: COUNT / callsPerRequest }, (): Body => JSON.parse(nextBody()));
  const calls = read.flatMap(({ variables: { input } }) => input.inputs ?? [input]);
  return { calls, query: read[0]?.query ?? '', keys: new Set(calls.map(({ idempotencyKey }) => idempotencyKey)) };
}

describe.each([1, 100])('%d calls in a request', (callsPerRequest) => {
  it('a fresh key for every call', () => {
    const { calls, keys, query } = sent(callsPerRequest, 0);
    expect([calls.length, keys.size]).toEqual([COUNT, COUNT]);
    expect(query).not.toContain('replayed');
  });

  it('a share of them is sent again word for word, and asks whether that was noticed', () => {
    const { calls, keys, query } = sent(callsPerRequest, 0.02);
    const again = COUNT - keys.size;
    expect(again / COUNT).toBeGreaterThan(0.015);
    expect(again / COUNT).toBeLessThan(0.025);
    expect(new Set(calls.map((call) => JSON.stringify(call))).size).toBe(keys.size);
    expect(query).toContain('allowed replayed');
  });
});

it('asks of the same customers in every job', () =>
  expect(sent(1, 0).calls.slice(0, 100)).toEqual(sent(1, 0).calls.slice(0, 100)));
