/**
 * Goal: a limit that goes on refusing costs a statement now and again, not one each time what was heard is written down.
 * Method: the answers of a real engine, and a count of what is written.
 */
import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import type { Query } from '../../server/db/client.ts';
import { emitKept } from '../../server/db/queries/outgoing-events.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { Exceeded } from '../../server/notices/exceeded.ts';
import { openRig, query, type Rig, register, saveFeature } from '../store/rig.ts';
import { openEmbedded } from '../support/engines.ts';

let rig: Rig;
let exceeded: Exceeded;
let statements: number;

beforeEach(async () => {
  rig = await openRig(await openEmbedded());
  await saveFeature(rig, 'calls', { limit: unitsOf('1') });
  await register(rig, 'acme');
  exceeded = new Exceeded();
  statements = 0;
});

async function refused(): Promise<void> {
  exceeded.heard(await rig.engine.consume(rig.call('acme', { amount: unitsOf('2') })));
  const counted: Query = (statement) => {
    statements += 1;
    return rig.database.query(statement);
  };
  await exceeded.flush((notices) => emitKept(counted, notices, rig.clock.now()));
}

const listen = () =>
  query(
    rig.database,
    `INSERT INTO webhook_endpoints (id, tenant_id, kind, url, event_types, secrets, created_at)
    VALUES ($2, $1, 'webhook', 'https://example.com/', '{limit.exceeded}', '[]', '2026-01-01')`,
    rig.tenantId,
    randomUUID(),
  );

it('where somebody listens, it is written down once', async () => {
  await listen();
  for (let minute = 0; minute < 5; minute += 1) {
    await refused();
    rig.clock.advance(60_000);
  }
  expect(statements).toBe(1);
});

it('where nobody does, it is asked for once a minute whether somebody does by now', async () => {
  for (let second = 0; second < 180; second += 30) {
    await refused();
    rig.clock.advance(30_000);
  }
  expect(statements).toBe(3);
  await listen();
  await refused();
  expect(statements).toBe(4);
  rig.clock.advance(60_000);
  await refused();
  expect(statements).toBe(4);
});

it('what another gateway has told is known after it was asked for once', async () => {
  await listen();
  await refused();
  exceeded = new Exceeded();
  await refused();
  rig.clock.advance(60_000);
  await refused();
  expect(statements).toBe(2);
});
