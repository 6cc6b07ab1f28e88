/** books — whether a database holds exactly what its callers were told, no call more and no call less. */
import type { Database } from '../server/db/client.ts';

export type Books = {
  /** Calls whose answer was "allowed", all of one unit; the same answer given again is none. */
  readonly accepted: number;
  /** What the counters say. */
  readonly counted: number;
  /** Null, like what follows, where a server stores none. */
  readonly events: number | null;
  /** The sum of the events. */
  readonly eventUnits: number | null;
  /** Idempotency keys, with their answers where they have one. */
  readonly answers: number | null;
  readonly alerts: number | null;
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
  return agreed({ accepted, counted, events, eventUnits, answers, alerts });
}

/** Those of a server that counts and keeps nothing else. */
export const countedOnly = (accepted: number, counted: number): Books =>
  agreed({ accepted, counted, events: null, eventUnits: null, answers: null, alerts: null });

/** With whether whatever is stored says what the callers were told. */
export function agreed(books: Omit<Books, 'agree'>): Books {
  const { accepted, counted, events, eventUnits, answers } = books;
  return {
    ...books,
    agree: [counted, events, eventUnits, answers].every((found) => found === null || found === accepted),
  };
}
