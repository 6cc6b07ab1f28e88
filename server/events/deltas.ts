/**
 * deltas — what is told of a change: one object for all who are told the same usage with the same cursor, so that whoever
 * works on it, to write it down for a client, does it once for all of them.
 */
import { encodeUsageCursor, type UsageCursor } from '../domain/cursor.ts';
import type { Usage } from '../domain/usage.ts';
import type { UsageDelta } from './stream-items.ts';

/** By usage, for as long as somebody has still to hear of it, and then by cursor. */
const deltas = new WeakMap<Usage, Map<string, UsageDelta>>();

export function deltaOf(usage: Usage, cursor: UsageCursor): UsageDelta {
  const known = deltas.get(usage) ?? new Map<string, UsageDelta>();
  deltas.set(usage, known);
  const key = `${cursor.sequence} ${cursor.catalogVersion} ${cursor.atMs}`; // and the customer is the usage's
  const delta = known.get(key) ?? { kind: 'delta', usage, cursor: encodeUsageCursor(cursor) };
  known.set(key, delta);
  return delta;
}
