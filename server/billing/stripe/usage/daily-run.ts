/** daily-run — work that is done once a day, whichever gateway does it and however often they start. */
import type { Query } from '../../../db/client.ts';
import { isoOf } from './outbox.ts';

const DAY_MS = 24 * 3_600_000;

/** Whoever moves the row has the day; the first who asks at all begins one. One from a clock far ahead counts as none. */
const CLAIM = `
  INSERT INTO daily_runs AS d (name, began_at) VALUES ($1, $2::timestamptz)
  ON CONFLICT (name) DO UPDATE SET began_at = excluded.began_at WHERE d.began_at <= $3::timestamptz OR d.began_at > $4::timestamptz
  RETURNING (xmax <> 0) AS is_due`;

/** @returns whether it is to be done now, by who asked. */
export async function claimDay(query: Query, name: string, nowMs: number): Promise<boolean> {
  const params = [name, isoOf(nowMs), isoOf(nowMs - DAY_MS), isoOf(nowMs + DAY_MS)];
  const [row] = await query<{ readonly is_due: boolean }>({ text: CLAIM, params });
  return row?.is_due ?? false;
}

const GIVE_BACK = `
  UPDATE daily_runs SET began_at = $3::timestamptz WHERE name = $1 AND began_at = $2::timestamptz`;

/** It came to nothing: whoever asks next does it. @param claimedAtMs As it was claimed. */
export async function giveDayBack(query: Query, name: string, claimedAtMs: number): Promise<void> {
  await query({ text: GIVE_BACK, params: [name, isoOf(claimedAtMs), isoOf(claimedAtMs - DAY_MS)] });
}
