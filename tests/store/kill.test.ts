/**
 * Goal: what was answered is recorded, once, though the process was killed in the middle of it. Method: another process
 * under load, SIGKILL, and then the books: what it said against what is on record; again and again on the same data, each
 * time further on. And with two of them at one limit, one of which is killed on the way there: exactly the limit passes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { openPglite } from '../../server/db/pglite.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { bundled } from '../support/bundled.ts';
import { migrated, migratedFolder } from '../support/engines.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { outcomesOf, tally } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { recorded } from './recorded.ts';
import { openRig, query, type Rig, register, rigWith } from './rig.ts';

const CHILD = fileURLToPath(new URL('../support/engine-under-load.ts', import.meta.url));
/** Each starts a process and opens the data twice, for which PGlite takes three times as long. */
const ROUNDS = { pglite: 3, postgres: 6 } as const;
/** What a busy machine takes for that. */
const TIMEOUT_MS = 120_000;
/** In the last round; in those before as much less. */
const ANSWERS_BEFORE_KILL_MAX = 150;
/** No limit, but alerts on the way. */
const THRESHOLDS = ['50', '150', '300'].map((value) => ({ kind: 'used' as const, value: unitsOf(value) }));

/** How many gateways are killed on their way to a limit, each beside another that goes on, and each further on than the last. */
const KILLED_AT_A_LIMIT = 8;
const LIMIT = 1_000;
/** Answers that one of two has heard when they are at the limit, or so. */
const SHARE = LIMIT / 2;
/** So many hear who goes on, until it is ended, too. */
const DENIED = 150;

let program: string;
beforeAll(async () => {
  program = await bundled(CHILD);
});

/** The keys that a child has sent, and what it heard of them before it was killed. */
type Fates = Readonly<Record<'sent' | 'done' | 'denied', Set<string>>>;

/** Runs a child, and kills it when it has heard enough, while it goes on. */
async function killUnderLoad(args: readonly string[], hasHeardEnough: (fates: Fates) => boolean): Promise<Fates> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const fates: Fates = { sent: new Set(), done: new Set(), denied: new Set() };
  for await (const line of createInterface(child.stdout)) {
    const [what = '', key = ''] = line.split(' ');
    fates[what as keyof Fates].add(key); // the three words that it says
    if (!child.killed && hasHeardEnough(fates)) child.kill('SIGKILL'); // what it has said meanwhile is still read
  }
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
  return fates;
}

/** @param open Opens the data that a killed process left; nobody else has it open meanwhile. */
async function expectNothingLost(place: string, rounds: number, open: () => Promise<Database>): Promise<void> {
  const setUp = await open();
  const { tenantId } = await rigWith(setUp, { limit: null, thresholds: THRESHOLDS });
  await setUp.close();
  const everSent = new Set<string>();
  for (let round = 1; round <= rounds; round += 1) {
    const args = [place, tenantId, 'acme', `round${round}-`];
    const answers = (ANSWERS_BEFORE_KILL_MAX * round) / rounds;
    const { sent, done } = await killUnderLoad(args, (fates) => fates.done.size >= answers);
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

async function recordedKeys(
  { database, call }: Rig,
  prefix: string,
  referenceId = 'acme',
): Promise<ReadonlySet<string>> {
  const rows = await query(
    database,
    'SELECT idempotency_key AS key FROM events WHERE customer_id = $1 AND starts_with(idempotency_key, $2)',
    call(referenceId).customerId,
    prefix,
  );
  const keys = new Set(rows.map(({ key }) => String(key)));
  expect(keys.size).toBe(rows.length);
  return keys;
}

it('kill -9 under load loses nothing on PGlite', { timeout: TIMEOUT_MS }, async () => {
  const folder = await migratedFolder();
  try {
    await expectNothingLost(folder, ROUNDS.pglite, () => openPglite(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describePostgres('kill -9 under load', () => {
  it('loses nothing on Postgres', { timeout: TIMEOUT_MS }, async () => {
    await using server = await createDatabase({ template: migrated });
    const open = async () => openPostgres({ url: server.url, poolSize: 2, statementTimeoutMs: 10_000 });
    await expectNothingLost(server.url, ROUNDS.postgres, open);
  });

  it(`lets exactly the limit pass, ${KILLED_AT_A_LIMIT} times, beside a gateway that goes on`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using server = await createDatabase({ template: migrated });
    const database = openPostgres({ url: server.url, poolSize: 2, statementTimeoutMs: 10_000 });
    const rig = await rigWith(database, { limit: unitsOf(String(LIMIT)), thresholds: THRESHOLDS });
    for (let round = 1; round <= KILLED_AT_A_LIMIT; round += 1) {
      const answers = (SHARE * round) / (KILLED_AT_A_LIMIT + 1);
      const customer = `customer-${round}`;
      await register(rig, customer);
      const argsOf = (prefix: string) => [server.url, rig.tenantId, customer, prefix];
      const gateways = await Promise.all([
        killUnderLoad(argsOf('killed-'), ({ done, denied }) => done.size + denied.size >= answers),
        killUnderLoad(argsOf('goes-on-'), ({ denied }) => denied.size >= DENIED),
      ]);
      await untilServerNoticed(database);
      expect(await recorded(rig, customer)).toMatchObject({ used: LIMIT, events: LIMIT });
      const keys = new Set([
        ...(await recordedKeys(rig, 'killed-', customer)),
        ...(await recordedKeys(rig, 'goes-on-', customer)),
      ]);
      for (const { sent, done, denied } of gateways) {
        expect([...done].filter((key) => !keys.has(key))).toEqual([]);
        expect([...denied].filter((key) => keys.has(key))).toEqual([]);
        for (const key of sent) keys.delete(key);
      }
      expect([...keys]).toEqual([]); // nobody sent them
      await expectConsistent(database);
    }
    await database.close();
  });
});
