/**
 * Goal: a client that stops reading costs nobody anything: others hear at once, memory stays bounded, nothing throws,
 * and the gateway closes. Method: raw sockets that are no longer read, against 20,000 uses of 200 customers.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { afterUse } from '../support/after-use.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { consumeMany, openLive, openRig, openUsage, register, spellItem } from './rig.ts';

const CUSTOMERS = 200;
const USES = 20_000;
/** Far above what conflated mailboxes and full socket buffers take, far below what 20,000 queued items would. */
const GROWTH_MAX_BYTES = 48 * 1_024 * 1_024;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

it('a stalled reader is a burden to nobody', async () => {
  const surprises: unknown[] = [];
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    const note = (surprise: unknown) => surprises.push(surprise);
    process.on(event, note);
    afterUse(() => process.off(event, note));
  }
  const rig = await openRig();
  const ids = Array.from({ length: CUSTOMERS }, (_, i) => `customer ${i}`);
  for (let i = 0; i < CUSTOMERS; i += 50) await Promise.all(ids.slice(i, i + 50).map((id) => register(rig, id)));

  const stalled = await rig.openWs(ADMIN_KEY, { answerPings: false });
  for (const [i, id] of ids.slice(0, 90).entries()) {
    stalled.subscribe(`usage ${i}`, WHOLE_USAGE, { referenceId: id });
  }
  for (let i = 0; i < 5; i++) stalled.subscribe(`live ${i}`, `subscription { liveUsage { usages { ${WIDE} } } }`);
  const last = ids[89] ?? '';
  const reader = await openUsage(rig, { referenceId: last });
  const overSse = await openUsage(rig, { referenceId: last }, { way: 'SSE' });
  const live = await openLive(rig);
  await Promise.all([reader.next(), overSse.next()]);
  await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(98);
  stalled.pause();

  collectGarbage();
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external;
  let slowestMs = 0;
  for (let round = 1; round <= USES / 1_000; round++) {
    await consumeMany(
      rig,
      Array.from({ length: 1_000 }, (_, i) => ({ referenceId: ids[i % CUSTOMERS] ?? '', featureKey: 'api_calls' })),
    );
    const answeredMs = performance.now();
    while (spellItem(await reader.next()) !== `api_calls ${round * 5}/∞`);
    slowestMs = Math.max(slowestMs, performance.now() - answeredMs);
  }
  const newest = `api_calls ${USES / CUSTOMERS}/∞`;
  while (spellItem(await overSse.next()) !== newest);
  while (!(await live.next()).usages.some(({ used }) => used === String(USES / CUSTOMERS)));
  expect(slowestMs).toBeLessThan(1_000);

  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  expect(heapUsed + external - before).toBeLessThan(GROWTH_MAX_BYTES);
  expect(surprises).toEqual([]);
  const closing = performance.now();
  await rig.close();
  expect(performance.now() - closing).toBeLessThan(8_000);
  await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(0);
  expect(surprises).toEqual([]);
}, 120_000); // 20,000 uses in step with a reader: a machine that is busy with others takes its time

/** All that a client can ask for, so that every item is as long as items get. */
const WIDE =
  'referenceId feature { key displayName unit details } planKey used limit remaining period { start end } overage cursor';
const WHOLE_USAGE = `subscription ($referenceId: String) { usageChanged(referenceId: $referenceId) {
  ... on UsageSnapshot { usages { ${WIDE} } cursor }
  ... on UsageDelta { usage { ${WIDE} } cursor }
} }`;
