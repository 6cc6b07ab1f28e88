/** many-events — a database with far more events than one would ever send it: written by itself, a month at a time. */
import type { Database } from '../../server/db/client.ts';
import { type EventMonth, eventMonths, makeEventMonths } from '../../server/db/event-months.ts';

export type ManyEvents = {
  readonly tenantId: string;
  readonly featureKey: string;
  /** Of each of the tenant's customers, sequences 1 to so many; 0 for the months alone. */
  readonly perCustomer: number;
  /** When the first and the last of them were recorded: evenly in between, in order of sequence. Whole months. */
  readonly fromMs: number;
  readonly untilMs: number;
};

/**
 * Stores events, and nothing that comes of them. Whatever months there are must be empty: each is made anew with its rows
 * in it and indexed then, which takes a tenth of the time that writing into an indexed one does.
 */
export async function storeManyEvents(database: Database, many: ManyEvents): Promise<void> {
  const run = (text: string) => database.query({ text, params: [] });
  for (const { name } of await eventMonths(database.query)) {
    await run(`ALTER TABLE events DETACH PARTITION ${name}`);
    await run(`DROP TABLE ${name}`);
  }
  for (let atMs = many.fromMs; atMs < many.untilMs; atMs = nextMonthMs(atMs)) await makeEventMonths(database, atMs);
  if (many.perCustomer === 0) return;
  for (const month of await eventMonths(database.query)) {
    for (const statement of fillingOf(month, many)) await run(statement);
  }
}

const nextMonthMs = (atMs: number): number => {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1);
};

function fillingOf({ name, fromMs, untilMs }: EventMonth, many: ManyEvents): readonly string[] {
  const stepMs = (many.untilMs - many.fromMs) / many.perCustomer;
  const first = Math.max(1, Math.ceil(((fromMs ?? 0) - many.fromMs) / stepMs) + 1);
  const last = Math.min(many.perCustomer, Math.ceil((untilMs - many.fromMs) / stepMs));
  const at = `'${iso(many.fromMs)}'::timestamptz + (n - 1) * ${stepMs}::float8 * interval '1 millisecond'`;
  return [
    `ALTER TABLE events DETACH PARTITION ${name}`,
    `DROP TABLE ${name}`,
    `CREATE TABLE ${name} (LIKE events INCLUDING DEFAULTS)`,
    `INSERT INTO ${name} (customer_id, sequence, tenant_id, feature_key, period_start, reported, amount, overage, used_after, occurred_at, recorded_at)
      SELECT c.id, n, c.tenant_id, '${many.featureKey}', '${iso(fromMs ?? 0)}', 1, 1, 0, n, ${at}, ${at}
      FROM generate_series(${first}, ${last}) n CROSS JOIN customers c WHERE c.tenant_id = '${many.tenantId}'`,
    `ALTER TABLE ${name} ADD PRIMARY KEY (customer_id, sequence)`,
    `ALTER TABLE events ATTACH PARTITION ${name} FOR VALUES FROM ('${iso(fromMs ?? 0)}') TO ('${iso(untilMs)}')`, // and so its indexes
  ];
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
