/**
 * Goal: a key is good for its 35 days and forgotten then, and what is kept is not read to find what is not. Method: calls
 * again under a clock that moves; rows that a plan reads are counted, not timed.
 */
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { forgetAnswers, forgetSome } from '../../server/db/expired-answers.ts';
import { queryIn } from '../../server/db/query-in.ts';
import { Upkeep } from '../../server/db/upkeep.ts';
import { Closer } from '../../server/metering/closer.ts';
import { describeEngines } from '../support/engines.ts';
import { recorded } from './recorded.ts';
import { query, type Rig, rigWith } from './rig.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const never = () => false;

describeEngines('answers to idempotency keys', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  const closerOf = ({ clock, engine: of }: Rig) => {
    const onError = (error: unknown) => {
      throw error;
    };
    const upkeep = new Upkeep({ database, eventsKeptMs: null, onError });
    return new Closer({ query: database.query, clock, engine: of, upkeep, onError });
  };

  it.each([
    ['0', 0, true],
    ['35', 35 * DAY_MS, true],
    ['35, and nearly the hour by which clocks may differ', 35 * DAY_MS + HOUR_MS - 1, true],
    ['more than that', 35 * DAY_MS + HOUR_MS + 1, false],
  ])('after days: %s', async (_, afterMs, replayed) => {
    const rig = await rigWith(database, { limit: null });
    const call = rig.call('acme', { idempotencyKey: 'k' });
    await rig.engine.consume(call);
    rig.clock.advance(afterMs);
    await closerOf(rig).run();
    expect(await rig.engine.consume(call)).toMatchObject({ allowed: true, replayed });
    expect(await recorded(rig, 'acme')).toMatchObject({ events: replayed ? 1 : 2, answers: 1 });
  });

  it('are forgotten a part at a time, all that are old and no other, also by two at once', async () => {
    const own = await engine.open({ until: 'test' });
    const rig = await rigWith(own, { limit: null });
    const nowMs = rig.clock.now();
    await fill(own, 4_500, 500);
    let parts = 0;
    const stopAfterTwo = () => {
      parts += 1;
      return parts > 2;
    };
    expect(await forgetAnswers(own, nowMs, stopAfterTwo)).toBe(2_000);
    const [one, other] = await Promise.all([forgetAnswers(own, nowMs, never), forgetAnswers(own, nowMs, never)]);
    expect(await forgetAnswers(own, nowMs, never)).toBe(4_500 - 2_000 - one - other);
    const left = await query(
      own,
      `SELECT count(*)::integer AS count, min(answered_at) > '2026-02-08' AS young FROM answers`,
    );
    expect(left).toEqual([{ count: 500, young: true }]);
  });

  it.each([false, true])('are found by their age, analysed %s', async (isAnalysed) => {
    const own = await engine.open({ until: 'test' });
    await query(own, 'ALTER TABLE answers SET (autovacuum_enabled = false)');
    await fill(own, 0, 20_000);
    if (isAnalysed) await query(own, 'ANALYZE answers');
    const plan = await own.db.transaction(async (tx) => {
      const said: string[] = [];
      await forgetSome(tx, '2026-02-01', async ({ text, params }) => {
        said.push(
          ...(await queryIn(tx)<{ 'QUERY PLAN': string }>({ text: `EXPLAIN ${text}`, params })).map(
            (row) => row['QUERY PLAN'],
          ),
        );
        return [];
      });
      return said.join('\n');
    });
    expect(plan).toContain('using answers_answered');
    expect(plan).toContain('Tid Scan on answers');
    expect(plan).not.toMatch(/Seq Scan|Sort|Hash/);
  });

  /** So many that have expired by March, and so many that have not. */
  async function fill(into: Database, old: number, young: number): Promise<void> {
    await query(
      into,
      `INSERT INTO answers (customer_id, idempotency_key, tenant_id, fingerprint, answer, answered_at)
       SELECT gen_random_uuid(), 'key', gen_random_uuid(), 'f', '{}', CASE WHEN n <= ${old} THEN '2026-01-01'::timestamptz ELSE '2026-03-01' END + n * interval '1 second'
       FROM generate_series(1, ${old + young}) n`,
    );
  }
});
