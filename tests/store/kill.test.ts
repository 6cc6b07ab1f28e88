/**
 * Goal: what was answered is recorded, once, though the process was killed in the middle of it. Method: another process
 * under load, SIGKILL, and then the books: what it said against what is on record; twice on the same data.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { openPglite } from '../../server/db/pglite.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { migrated, migratedFolder } from '../support/engines.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { outcomesOf, tally } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { recorded } from './recorded.ts';
import { openRig, query, type Rig, rigWith } from './rig.ts';

const CHILD = fileURLToPath(new URL('../support/engine-under-load.ts', import.meta.url));
const ROUNDS = 2;
/** Each round starts a process and opens the data twice, which a busy machine takes its time for. */
const TIMEOUT_MS = 90_000;
const ANSWERS_BEFORE_KILL = 150;
/** No limit, but alerts on the way. */
const THRESHOLDS = ['50', '150', '300'].map((value) => ({ kind: 'used' as const, value: unitsOf(value) }));

type Fates = { readonly sent: ReadonlySet<string>; readonly done: ReadonlySet<string> };

/** Runs the child until it has answered enough calls, and kills it while it goes on. */
async function killUnderLoad(place: string, tenantId: string, prefix: string): Promise<Fates> {
  const args = ['--import', 'tsx', CHILD, place, tenantId, 'acme', prefix];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const sent = new Set<string>();
  const done = new Set<string>();
  for await (const line of createInterface(child.stdout)) {
    const [what, key = ''] = line.split(' ');
    (what === 'done' ? done : sent).add(key);
    if (done.size === ANSWERS_BEFORE_KILL) child.kill('SIGKILL'); // what it has said meanwhile is still read
  }
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
  return { sent, done };
}

/** @param open Opens the data that a killed process left; nobody else has it open meanwhile. */
async function expectNothingLost(place: string, open: () => Promise<Database>): Promise<void> {
  const setUp = await open();
  const { tenantId } = await rigWith(setUp, { limit: null, thresholds: THRESHOLDS });
  await setUp.close();
  const everSent = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const { sent, done } = await killUnderLoad(place, tenantId, `round${round}-`);
    for (const key of sent) everSent.add(key);
    const database = await open();
    await untilServerNoticed(database);
    const rig = await openRig(database, { tenantId });
    await expectConsistent(database);
    const keys = await recordedKeys(rig, `round${round}-`);
    expect([...done].filter((key) => !keys.has(key))).toEqual([]); // answered, so recorded
    expect([...keys].filter((key) => !sent.has(key))).toEqual([]);
    await expectRetriesCountOnce(rig, sent, keys);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: everSent.size, events: everSent.size });
    await expectConsistent(database);
    await database.close();
  }
}

/** A Postgres may still be at work on what the killed process sent last. */
async function untilServerNoticed(database: Database): Promise<void> {
  const text = `SELECT FROM pg_stat_activity WHERE application_name = 'metergraph-engine' AND datname = current_database()`;
  while ((await query(database, text)).length > 0);
}

/** A client that does not know what became of its calls sends them all again, with the same keys. */
async function expectRetriesCountOnce(rig: Rig, sent: ReadonlySet<string>, known: ReadonlySet<string>): Promise<void> {
  const calls = [...sent].map((idempotencyKey) => rig.engine.consume(rig.call('acme', { idempotencyKey })));
  expect(tally(await outcomesOf(calls))).toEqual({ allowed: sent.size });
  const replayed = (await Promise.all(calls)).filter(({ replayed }) => replayed).length;
  expect(replayed).toBe(known.size);
}

async function recordedKeys({ database, call }: Rig, prefix: string): Promise<ReadonlySet<string>> {
  const rows = await query(
    database,
    'SELECT idempotency_key AS key FROM events WHERE customer_id = $1 AND starts_with(idempotency_key, $2)',
    call('acme').customerId,
    prefix,
  );
  const keys = new Set(rows.map(({ key }) => String(key)));
  expect(keys.size).toBe(rows.length);
  return keys;
}

it('kill -9 under load loses nothing on PGlite', { timeout: TIMEOUT_MS }, async () => {
  const folder = await migratedFolder();
  try {
    await expectNothingLost(folder, () => openPglite(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describePostgres('kill -9 under load', () => {
  it('loses nothing on Postgres', { timeout: TIMEOUT_MS }, async () => {
    await using server = await createDatabase({ template: migrated });
    const open = async () => openPostgres({ url: server.url, poolSize: 2, statementTimeoutMs: 10_000 });
    await expectNothingLost(server.url, open);
  });
});
