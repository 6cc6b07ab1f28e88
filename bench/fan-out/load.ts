/** load — consumes at a steady rate over HTTP, several in a call, as an app's server sends them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { API_KEY, FEATURE_KEY, referenceOf } from '../catalog.ts';

/** Consumes in one call. */
const AT_ONCE = 5;
const CALLS_OPEN_MAX = 40;
const TICK_MS = 5;

const CONSUME_MANY = `mutation ($inputs: [ConsumeInput!]!) {
  consumeMany(input: { inputs: $inputs }) {
    ... on ConsumeManyPayload { results { ... on Consumption { allowed } } }
    ... on UserError { message }
  }
}`;

/** @throws where one of them is not allowed. */
export async function consume(url: string, indices: readonly number[]): Promise<void> {
  const inputs = indices.map((index) => ({ referenceId: referenceOf(index), featureKey: FEATURE_KEY }));
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: CONSUME_MANY, variables: { inputs } }),
  });
  const text = await response.text();
  if (text.split('"allowed":true').length - 1 !== indices.length) throw new Error(`not all were allowed: ${text}`);
}

/**
 * Calls at their times whether or not those before are answered, up to a bound.
 *
 * @returns how many consumes were answered, and in how long: fewer a second than asked for where the gateway is full.
 */
export async function consumeSteadily(
  url: string,
  { perSecond, forMs, customers }: { perSecond: number; forMs: number; customers: number },
): Promise<{ readonly consumes: number; readonly tookMs: number }> {
  const beganMs = performance.now();
  const open = new Set<Promise<void>>();
  let sent = 0;
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = performance.now() - beganMs) {
    for (; sent + AT_ONCE <= (elapsedMs * perSecond) / 1_000 && open.size < CALLS_OPEN_MAX; sent += AT_ONCE) {
      const indices = Array.from({ length: AT_ONCE }, () => Math.floor(Math.random() * customers));
      const call = consume(url, indices).finally(() => open.delete(call));
      open.add(call);
    }
    await sleep(TICK_MS);
  }
  await Promise.all(open);
  return { consumes: sent, tookMs: performance.now() - beganMs };
}
