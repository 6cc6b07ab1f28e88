/**
 * single-statement — what a naive fast server would do: one guarded UPSERT for each request, behind the same door, on a
 * pool of connections. It is exact under a hard limit, and leaves out all else: no event, no idempotency key, no alert, no
 * rate limit, no period, no plan that may change, nobody who is told.
 */
import './leash.ts';
import postgres from 'postgres';
import { ONE } from '../../server/domain/units.ts';
import type { Usage } from '../../server/domain/usage.ts';
import type { Consumption } from '../../server/metering/requests.ts';
import { consumeRequest, tenantIdIn } from './consume-request.ts';
import { createGateway, listen, openDatabase } from './parts.ts';

/** What pools of Postgres connections commonly have, and `one-by-one` too. */
const CONNECTIONS = 10;
const LIMIT = 1_000_000_000;

const database = openDatabase();
const pool = postgres(process.env.DATABASE_URL ?? '', { max: CONNECTIONS, fetch_types: false, onnotice: () => {} });
await pool`CREATE TABLE IF NOT EXISTS single_counters (customer_id uuid PRIMARY KEY, used bigint NOT NULL) WITH (fillfactor = 50)`;

const door = await createGateway({ ...database, listen: null });
const { engine } = door.services;
// All that does not change is taken from one real answer.
const answer = (await engine.check(consumeRequest(await tenantIdIn(database), 0, null))) as Consumption & {
  usage: Usage;
};

const UPSERT = `
  INSERT INTO single_counters (customer_id, used) VALUES ($1, 1)
  ON CONFLICT (customer_id) DO UPDATE SET used = single_counters.used + 1 WHERE single_counters.used + 1 <= ${LIMIT}
  RETURNING used`;

// Whatever is asked: the bench asks for nothing but consumes of 1.
engine.execute = async ({ customerId }) => {
  const [row] = await pool.unsafe<{ used: string }[]>(UPSERT, [customerId], { prepare: true });
  if (!row) return { ...answer, allowed: false } as never;
  const used = BigInt(row.used) * ONE;
  const { usage } = answer;
  return { ...answer, usage: { ...usage, used, remaining: BigInt(LIMIT) * ONE - used } } as never;
};

await listen(door);
