/**
 * growth — `npm run bench:growth`: whether a consume gets slower as events pile up.
 *
 * One Postgres of its own, and a database for each size: none, 10⁴, 10⁵ … events, spread over a year of months and 10,000
 * customers, written by the database itself. Once that is on the disk, rounds of all sizes in turn, and in each the speed of
 * the engine at every size as a ratio to that at none in the same round. No HTTP: what could grow is the database's part.
 * See `docs/performance.md`.
 */
import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Catalogs } from '../server/db/catalogs.ts';
import type { Database } from '../server/db/client.ts';
import { openPostgres } from '../server/db/postgres.ts';
import { systemClock as clock } from '../server/domain/clock.ts';
import { Engine } from '../server/metering/engine.ts';
import { Ledger } from '../server/metering/ledger.ts';
import { storeManyEvents } from '../tests/support/many-events.ts';
import { type PostgresCluster, startPostgresCluster } from '../tests/support/postgres-cluster.ts';
import { onDatabase, withAdmin } from '../tests/support/postgres-run.ts';
import { FEATURE_KEY } from './catalog.ts';
import { awaitIdleDisk, type DiskRest } from './measure/disk.ts';
import { consumeRequest } from './programs/consume-request.ts';
import { CUSTOMERS } from './rows.ts';
import { seed } from './seed.ts';
import { median } from './statistics.ts';

const MONTHS = 12;
const CALLERS = 64;
const WARM_UP_MS = 300;
const STATEMENT_TIMEOUT_MS = 600_000;
const MIB = 1024 ** 2;
/** Of the machine's memory, for Postgres's own cache: what its manual starts from. Its default of 128 MiB is less than one index. */
const CACHE_SHARE = 4;
/** A disk that others use, too, may never be idle. */
const DISK_WITHIN_MS = 120_000;

const USAGE = `npm run bench:growth -- [options]

  --max <events>    largest size: a power of ten from 10000 to 100000000 (default 10000000; ten million take half a minute to
                    write and 2 GB of disk)
  --rounds <n>      rounds of all sizes in turn, 1 to 50 (default 5)
  --seconds <s>     measured seconds of a size in a round, 0.2 to 30 (default 2)
  --minutes <m>     begins no larger size once this is over, 1 to 60 (default 20)`;

type Options = {
  readonly max: number;
  readonly rounds: number;
  readonly measureMs: number;
  readonly withinMs: number;
};

/** A database with so many events, and the engine on it. */
type Subject = {
  readonly events: number;
  readonly database: Database;
  readonly engine: Engine;
  readonly tenantId: string;
  readonly speeds: number[];
  keys: number;
};

const say = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

function readOptions(args: readonly string[]): Options {
  const texts = { max: '10000000', rounds: '5', seconds: '2', minutes: '20' };
  const { values } = parseArgs({
    args: [...args],
    options: {
      max: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      minutes: { type: 'string' },
    },
  });
  const within = (name: keyof typeof texts, min: number, max: number): number => {
    const number = Number(values[name] ?? texts[name]);
    if (number >= min && number <= max) return number;
    throw new Error(`--${name} is "${values[name]}"; write a number from ${min} to ${max}.\n\n${USAGE}`);
  };
  return {
    max: within('max', CUSTOMERS, 100_000_000),
    rounds: Math.floor(within('rounds', 1, 50)),
    measureMs: within('seconds', 0.2, 30) * 1_000,
    withinMs: within('minutes', 1, 60) * 60_000,
  };
}

async function run({ max, rounds, measureMs, withinMs }: Options): Promise<void> {
  const startedMs = performance.now();
  const cluster = await startPostgresCluster();
  const subjects: Subject[] = [];
  try {
    await enlargeCache(cluster);
    for (let events = 0; events <= max; events = events === 0 ? CUSTOMERS : events * 10) {
      if (performance.now() - startedMs > withinMs / 2) say(`no time for ${events} events: half of it is over`);
      else subjects.push(await createSubject(cluster.url, events));
    }
    await withAdmin(cluster.url, async (sql) => void (await sql`CHECKPOINT`));
    say('waiting for the disk');
    const disk = spell(await awaitIdleDisk(DISK_WITHIN_MS));
    say(disk);
    for (const subject of subjects) await callFor(subject, measureMs); // unmeasured: what it needs is in memory from then on
    for (let round = 1; round <= rounds; round += 1) {
      for (const subject of round % 2 === 0 ? subjects.toReversed() : subjects) {
        await callFor(subject, WARM_UP_MS);
        subject.speeds.push(await callFor(subject, measureMs));
      }
      say(
        `round ${round} of ${rounds}: ${subjects.map(({ speeds }) => Math.round(speeds.at(-1) ?? 0)).join(', ')} calls/s`,
      );
    }
    console.log(`${await report(subjects)}\n\n${disk}`);
  } finally {
    for (const { database } of subjects) await database.close();
    await cluster.stop();
  }
}

/** As whoever has so many events would. */
async function enlargeCache(cluster: PostgresCluster): Promise<void> {
  const mib = Math.floor(totalmem() / CACHE_SHARE / MIB);
  await withAdmin(cluster.url, async (sql) => {
    await sql.unsafe(`ALTER SYSTEM SET shared_buffers = '${mib}MB'`);
  });
  await cluster.crash();
  await cluster.restart();
  say(`Postgres caches ${mib} MiB`);
}

async function createSubject(clusterUrl: string, events: number): Promise<Subject> {
  const startedMs = performance.now();
  const name = `growth_${events}`;
  await withAdmin(clusterUrl, async (sql) => void (await sql`CREATE DATABASE ${sql(name)}`));
  const database = openPostgres({
    url: onDatabase(clusterUrl, name),
    poolSize: 2,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  await seed(database, CUSTOMERS);
  const [tenant] = await database.query<{ id: string }>({ text: 'SELECT id FROM tenants', params: [] });
  const tenantId = tenant?.id ?? '';
  const now = new Date(clock.now());
  const perCustomer = events / CUSTOMERS;
  const month = (ahead: number) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead);
  await storeManyEvents(database, {
    tenantId,
    featureKey: FEATURE_KEY,
    perCustomer,
    fromMs: month(1 - MONTHS),
    untilMs: month(1),
  });
  await database.query({ text: 'UPDATE customers SET sequence = $1::text::bigint', params: [String(perCustomer)] });
  await database.query({ text: 'VACUUM ANALYZE', params: [] });
  say(`${events} events stored in ${Math.round((performance.now() - startedMs) / 1_000)} s`);
  const ledger = new Ledger({ database, catalogs: new Catalogs(), clock, onCommitted: () => {}, hintOf: () => null });
  const engine = new Engine({ ledger, clock, onUnreachable: () => database.lane.reset() });
  return { events, database, engine, tenantId, speeds: [], keys: 0 };
}

/** As many callers at once, each with its next call as soon as the last is answered. @returns calls a second. */
async function callFor(subject: Subject, forMs: number): Promise<number> {
  const { engine, tenantId } = subject;
  let calls = 0;
  const startedMs = performance.now();
  const endsMs = startedMs + forMs;
  const caller = async (): Promise<void> => {
    while (performance.now() < endsMs) {
      subject.keys += 1;
      const index = Math.floor(Math.random() * CUSTOMERS);
      const { allowed } = await engine.consume(consumeRequest(tenantId, index, `growth ${subject.keys}`));
      if (!allowed) throw new Error('a call was refused, and a refusal writes less');
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const perSecond = calls / ((performance.now() - startedMs) / 1_000);
  await sleep(50); // the last commit's own work is over
  return perSecond;
}

const SIZES = `
  SELECT pg_size_pretty(pg_database_size(current_database())) AS whole,
    (SELECT pg_size_pretty(coalesce(sum(pg_total_relation_size(relid)), 0)) FROM pg_partition_tree('events')) AS events,
    (SELECT count(*)::integer FROM events) AS stored`;

async function report(subjects: readonly Subject[]): Promise<string> {
  const [empty] = subjects;
  const lines = [
    '| events before | and after | calls/s | of none | min–max | events on disk | database |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const { events, database, speeds } of subjects) {
    const [sizes] = await database.query<{ whole: string; events: string; stored: number }>({
      text: SIZES,
      params: [],
    });
    const ratios = speeds.map((speed, round) => speed / (empty?.speeds[round] ?? Number.NaN));
    const spread = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2)).join('–');
    const cells = [events, sizes?.stored ?? 0, Math.round(median(speeds))].map((n) => n.toLocaleString('en'));
    lines.push(`| ${[...cells, median(ratios).toFixed(2), spread, sizes?.events, sizes?.whole].join(' | ')} |`);
  }
  return lines.join('\n');
}

function spell({ isIdle, waitedMs }: DiskRest): string {
  if (isIdle === null) return 'Whether the disk was idle before the rounds, this system does not tell.';
  const after = `${waitedMs / 1_000} s after the last checkpoint`;
  if (isIdle) return `The disk was idle before the rounds, ${after}.`;
  return `THE DISK WAS BUSY before the rounds, even ${after}: the larger sizes may be slower for that alone.`;
}

if (process.argv.includes('--help')) console.log(USAGE);
else await run(readOptions(process.argv.slice(2)));
