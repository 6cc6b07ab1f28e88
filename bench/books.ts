/** books — whether a database holds exactly what its callers were told, no call more and no call less. */
import type { Database } from '../server/db/client.ts';

export type Books = {
  /** Calls whose answer was "allowed", all of one unit. */
  readonly accepted: number;
  /** What the counters say. */
  readonly counted: number;
  readonly events: number;
  /** The sum of the events. */
  readonly eventUnits: number;
  /** Idempotency keys with their answers. */
  readonly answers: number;
  readonly alerts: number;
  readonly agree: boolean;
};

/** Units are whole and far below 2⁵³ here, so a float holds them. */
const READ = `
  SELECT (SELECT coalesce(sum(used), 0) FROM counters)::float8 AS counted,
    (SELECT count(*) FROM events)::float8 AS events,
    (SELECT coalesce(sum(amount), 0) FROM events)::float8 AS event_units,
    (SELECT count(*) FROM answers)::float8 AS answers,
    (SELECT count(*) FROM alerts)::float8 AS alerts`;

type Row = { counted: number; events: number; event_units: number; answers: number; alerts: number };

export async function readBooks({ query }: Database, accepted: number): Promise<Books> {
  const [row] = await query<Row>({ text: READ, params: [] });
  if (!row) throw new Error('the books cannot be read');
  const { counted, events, event_units: eventUnits, answers, alerts } = row;
  const agree = [counted, events, eventUnits, answers].every((found) => found === accepted);
  return { accepted, counted, events, eventUnits, answers, alerts, agree };
}
