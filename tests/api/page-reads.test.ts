/**
 * Goal: what the live page and `usage` show is read from counters and rollups, however many events there are. Method: the
 * page's own documents and the SDK's, on a real gateway; every statement that reaches the database, by the tables it names.
 */
import { rmSync } from 'node:fs';
import { PGlite, types } from '@electric-sql/pglite';
import { beforeAll, expect, it, vi } from 'vitest';
import { OVERVIEW } from '../../live-page/src/overview.ts';
import type { Database } from '../../server/db/client.ts';
import { pgliteDatabase } from '../../server/db/pglite.ts';
import { afterUse } from '../support/after-use.ts';
import { migratedFolder } from '../support/engines.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { CONSUME, openRig, type Rig, use } from './rig.ts';

const statements: string[] = [];

/** A database, or a transaction of one, that keeps the text of what it is sent. */
const listening = <T extends object>(to: T): T =>
  new Proxy(to, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name === 'transaction')
        return (work: (tx: object) => unknown) => value.call(target, (tx: object) => work(listening(tx)));
      if (name !== 'query' && name !== 'exec') return value.bind(target);
      return (text: string, ...rest: unknown[]) => {
        statements.push(text);
        return value.call(target, text, ...rest);
      };
    },
  });

async function openListening(): Promise<Database> {
  const folder = await migratedFolder();
  const pg = await PGlite.create({ dataDir: folder, parsers: { [types.INT8]: (text: string) => text } });
  afterUse(async () => {
    await pg.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return pgliteDatabase(listening(pg));
}

const readingEvents = (): readonly string[] => statements.filter((text) => /\b(from|join)\s+"?events\b/i.test(text));

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ database: await openListening(), pollIntervalMs: 3_600_000, closeIntervalMs: 3_600_000 });
  for (const referenceId of ['acme', 'other']) {
    for (const featureKey of ['api_calls', 'exports', 'storage'])
      await rig.data(CONSUME, use({ referenceId, featureKey }));
  }
  statements.length = 0;
});

const USAGE = `used limit remaining overage credits wallet { amount } estimatedCost { amount } thresholds { value } period { start end } cursor`;
const METER = 'referenceId: "acme", featureKey: "api_calls"';
const SPAN = 'from: "2026-03-01T00:00:00Z", to: "2026-04-01T00:00:00Z", bucket: DAY';

it.each([
  ['the live page, but for its list of events', OVERVIEW.replace(/ {2}events\(first[^\n]*\n/, '')],
  ['usage', `{ usage(${METER}) { ${USAGE} } }`],
  ['check', `{ check(input: { ${METER} }) { ... on Consumption { allowed usage { ${USAGE} } } } }`],
  ['a customer’s meters', `{ customer(referenceId: "acme") { usages { ${USAGE} } } }`],
  ['a series', `{ usageSeries(${METER}, ${SPAN}) { __typename } }`],
  ['a forecast', `{ usageForecast(${METER}) { __typename } }`],
])('%s: read without an event', async (_, document) => {
  statements.length = 0;
  expect(document).not.toContain('events');
  await rig.data(document);
  expect(statements.length).toBeGreaterThan(0);
  expect(readingEvents()).toEqual([]);
});

it('the live page’s list of what happened last: one look at so many of them', async () => {
  statements.length = 0;
  await rig.data(OVERVIEW);
  expect(readingEvents()).toHaveLength(1);
  expect(readingEvents()[0]).toMatch(/order by "events"\."recorded_at" desc.* limit \$\d+$/);
});

it('streams: a snapshot and what follows it, without an event', async () => {
  const socket = await rig.openWs(ADMIN_KEY);
  statements.length = 0;
  socket.subscribe(
    'one',
    `subscription { usageChanged(referenceId: "acme") { ... on UsageSnapshot { usages { ${USAGE} } } ... on UsageDelta { usage { used } } } }`,
  );
  socket.subscribe('all', `subscription { liveUsage { usages { ${USAGE} } at } }`);
  await socket.waitForNext('one');
  await vi.waitUntil(() => rig.gateway.services.streams.openStreams === 2);
  await rig.data(CONSUME, use());
  expect(JSON.stringify(await socket.waitForNext('one'))).toContain('"used":"2"');
  await socket.waitForNext('all');
  expect(readingEvents()).toEqual([]);
});
