/**
 * Goal: a frame says the same, byte for byte, whether its document was executed once for many or for each. Method: two
 * gateways on one database, of which one does not share, hear the same commits; on each the same random subscribers
 * (documents with aliases, fragments and variables; credentials; resume points), whose frames are compared as they came.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { ManualClock } from '../support/clock.ts';
import { openEmbedded } from '../support/engines.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { consume, consumeMany, register, tokenOf } from './rig.ts';

const RUNS = 8;
/** With so much in storage every subscriber has heard the last of a run; none of the steps before comes near. */
const LAST = 85;
const NEVER = { pollIntervalMs: 3_600_000, closeIntervalMs: 3_600_000 };

/** `spent` tells the test what has been heard; the rest sees to it that every variable and fragment is used. */
const ALWAYS = 'key: feature { key } spent: used ... on Usage @include(if: $wide) { ...Rest }';
const fields = fc
  .subarray([
    'referenceId',
    'used',
    'left: remaining',
    'limit @include(if: $wide)',
    'planKey @skip(if: $wide)',
    'feature { displayName unit @include(if: $wide) }',
    'period { start end }',
    'thresholds { kind value }',
    'cursor',
    '...Rest',
    '... on Usage { reserved at: cursor }',
  ])
  .map((chosen) => `{ ${ALWAYS} ${chosen.join(' ')} }`);
const fragment = fc
  .constantFrom('credits', 'enforcement wallet { amount }', 'own: referenceId limit @include(if: $wide)')
  .map((rest) => `fragment Rest on Usage { ${rest} }`);

const usageDocument = fc
  .tuple(fields, fields, fragment, fc.constantFrom('', 'mine: '), fc.constantFrom('', 'cursor', 'next: cursor'))
  .map(
    ([snapshot, delta, rest, alias, cursor]) => `
      subscription ($id: String, $keys: [String!], $after: String, $wide: Boolean = false) {
        ${alias}usageChanged(referenceId: $id, featureKeys: $keys, after: $after) {
          __typename
          ... on UsageSnapshot { usages ${snapshot} ${cursor} }
          ... on UsageDelta { usage ${delta} ${cursor} }
        }
      } ${rest}`,
  );
const liveDocument = fc
  .tuple(fields, fragment)
  .map(([usages, rest]) => `subscription ($wide: Boolean = false) { liveUsage { at usages ${usages} } } ${rest}`);
const alertDocument = fc.subarray(['id', 'referenceId', 'limit', 'raisedAt', 'threshold { kind value }', 'cursor']).map(
  (chosen) => `
    subscription ($id: String, $after: String, $wide: Boolean = false) {
      alertRaised(referenceId: $id, after: $after) {
        ... on AlertRaised { alert { spent: used ${chosen.join(' ')} featureKey @include(if: $wide) } }
      }
    }`,
);

/** Beside a run's customer, there is another. */
const CREDENTIALS = ['key', 'token', 'token of some features', 'token of the other'] as const;
const subscriber = fc.record({
  document: fc.nat(2),
  credential: fc.constantFrom(...CREDENTIALS),
  wide: fc.constantFrom(true, false, undefined),
  resumes: fc.boolean(),
  keys: fc.constantFrom(null, ['storage'], ['api_calls', 'storage']),
});
const scene = fc.record({
  documents: fc.tuple(usageDocument, usageDocument, fc.oneof(liveDocument, alertDocument)),
  // Each twice, so that there is somebody to share with.
  subscribers: fc.array(subscriber, { minLength: 2, maxLength: 5 }).map((chosen) => [...chosen, ...chosen]),
  steps: fc.array(fc.subarray(['api_calls', 'exports']), { maxLength: 2 }),
});

/** Two gateways that hear of the same commits; calls are made at the first. */
async function openTwins(): Promise<readonly [shared: TestGateway, alone: TestGateway]> {
  const [database, clock] = [await openEmbedded(), new ManualClock()];
  const shared = await startGateway({ ...NEVER, database, clock });
  const alone = await startGateway({ ...NEVER, database, clock, config: null, isFanOutShared: false });
  const { streams } = shared.gateway.services;
  const committed = streams.committed.bind(streams);
  streams.committed = (batch) => {
    committed(batch);
    alone.gateway.services.streams.committed(batch);
  };
  return [shared, alone];
}

type Listener = { readonly frames: readonly string[]; readonly hasHeard: (spent: string) => boolean; close(): void };

/** An id that must be written with care. */
const ID = 'the "1st" \\ subscriber';

async function listen(
  gateway: TestGateway,
  key: string,
  query: string,
  variables: Record<string, unknown>,
  id: string,
): Promise<Listener> {
  const client = await gateway.openWs(key);
  const frames: string[] = [];
  client.socket.on('message', (data) => {
    const text = String(data);
    const { type, id: named } = JSON.parse(text);
    if (type === 'ping') return;
    expect(named).toBe(id);
    frames.push(text.replace(JSON.stringify(id), JSON.stringify(ID)));
  });
  client.subscribe(id, query, variables);
  return {
    frames,
    hasHeard: (spent) => frames.some((frame) => frame.includes(`"spent":"${spent}"`) || frame.includes('"errors"')),
    close: () => client.terminate(),
  };
}

const executions = async ({ url }: TestGateway): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^metergraph_subscription_executions_total (\d+)$/m.exec(text)?.[1]);
};

it('every frame is the same', async () => {
  const twins = await openTwins();
  const [shared, alone] = twins;
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(scene, async ({ documents, subscribers, steps }) => {
      runs += 1;
      const [id, other] = [`customer ${runs}`, `other ${runs}`];
      for (const referenceId of [id, other]) await register(shared, referenceId);
      const { usage } = await consume(shared, id, 'exports');
      const credentials: Record<(typeof CREDENTIALS)[number], string> = {
        key: ADMIN_KEY,
        token: await tokenOf(shared, id),
        'token of some features': await tokenOf(shared, id, { featureKeys: ['storage', 'api_calls'] }),
        'token of the other': await tokenOf(shared, other),
      };
      const open = (gateway: TestGateway) =>
        Promise.all(
          subscribers.map(({ document, credential, wide, resumes, keys }, i) => {
            const query = documents[document] ?? '';
            const named = credential === 'key' ? { id } : {};
            const after = resumes && !credential.includes('other') ? { after: usage.cursor } : {};
            const variables = { ...named, ...after, keys, ...(wide !== undefined && { wide }) };
            return listen(gateway, credentials[credential], query, variables, `${ID} ${i}`);
          }),
        );
      const listeners = (await Promise.all(twins.map(open))).flat();
      const expectHeard = (isHeard: (listener: Listener, i: number) => boolean) =>
        expect
          .poll(() => listeners.every((listener, i) => isHeard(listener, i % subscribers.length)), { timeout: 20_000 })
          .toBe(true);
      const isOfUsage = (i: number) => documents[subscribers[i]?.document ?? 0]?.includes('usageChanged') ?? false;
      const isOfAlerts = (i: number) => documents[subscribers[i]?.document ?? 0]?.includes('alertRaised') ?? false;
      // Whoever resumes after the newest hears nothing yet; so wait until all are listened to.
      await expectHeard(({ frames }, i) => frames.length > 0 || !isOfUsage(i) || (subscribers[i]?.resumes ?? false));
      await settledStreams(twins, listeners);
      for (const [step, keys] of [...steps, []].entries()) {
        const isLast = step === steps.length;
        const amount = isLast ? LAST : 0.5;
        const spent = String(isLast ? LAST + 0.5 * steps.length : 0.5 * (step + 1));
        // Storage comes last: who has heard of it has heard of everything in this step.
        await consumeMany(
          shared,
          [id, other].flatMap((referenceId) => [
            ...keys.map((featureKey) => ({ referenceId, featureKey })),
            { referenceId, featureKey: 'storage', amount },
          ]),
        );
        await expectHeard((listener, i) => listener.hasHeard(spent) || (isOfAlerts(i) && !isLast));
      }
      for (const [i] of subscribers.entries()) {
        expect(listeners[i]?.frames).toEqual(listeners[i + subscribers.length]?.frames);
      }
      for (const listener of listeners) listener.close();
      await settledStreams(twins, []);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
  expect(await executions(shared)).toBeLessThan((await executions(alone)) * 0.8);
}, 240_000);

/** Waits until whoever was not refused is listened to. */
async function settledStreams(twins: readonly TestGateway[], listeners: readonly Listener[]): Promise<void> {
  const refused = () => listeners.filter(({ frames }) => frames.some((frame) => frame.includes('"errors"'))).length;
  const isSettled = () => {
    const open = twins.reduce((sum, { gateway }) => sum + gateway.services.streams.openStreams, 0);
    return open + refused() === listeners.length;
  };
  await expect.poll(isSettled, { timeout: 20_000 }).toBe(true);
}
