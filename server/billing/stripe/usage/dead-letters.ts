/**
 * dead-letters — messages that will not arrive as they are: what an operator can see, mend and send again.
 *
 * Where Stripe has said that one does not count, it is sent again under another identifier, since the old one is taken
 * for a day. Where nobody knows, the operator says what has become of it, or Stripe's sums are asked once more.
 */
import type { Query } from '../../../db/client.ts';
import { formatUnits } from '../../../domain/units.ts';
import { identifierOf } from './identifier.ts';
import { MESSAGE_COLUMNS, type Message, type MessageRow, messageOf } from './messages.ts';
import { isoOf } from './outbox.ts';

export type DeadLetter = Message & {
  readonly referenceId: string;
  /** A word that stays the same: `too_old`, `no_meter`, `unknown_fate`, or Stripe's own. */
  readonly code: string;
  readonly sentence: string;
  readonly round: number;
};

/** Whether nobody knows what became of it; Stripe has refused the others. */
export const isOfUnknownFate = ({ unknownSinceMs }: DeadLetter): boolean => unknownSinceMs !== null;

const LETTERS = `
  SELECT ${MESSAGE_COLUMNS}, c.reference_id, m.reason_code, m.reason, m.round, m.created_at::text AS made_at
  FROM usage_messages m JOIN customers c ON c.id = m.customer_id
  WHERE m.state = 'dead' AND m.tenant_id = $1::uuid AND ($2::text[] IS NULL OR m.identifier = ANY ($2::text[]))
    AND ($3::timestamptz IS NULL OR (m.created_at, m.identifier) > ($3::timestamptz, $4))
  ORDER BY m.created_at, m.identifier LIMIT $5::integer`;

const PAGE = 1_000;

type LetterRow = MessageRow & {
  readonly reference_id: string;
  readonly reason_code: string | null;
  readonly reason: string | null;
  readonly round: number;
  /** As text: a `Date` would round what the next page begins after. */
  readonly made_at: string;
};

/** All there are, the oldest first, read page by page. @param identifiers Left out: all. */
export async function findDeadLetters(
  query: Query,
  tenantId: string,
  identifiers: readonly string[] | null = null,
): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (let after: LetterRow | undefined; ; ) {
    const params = [tenantId, identifiers, after?.made_at ?? null, after?.identifier ?? '', PAGE];
    const rows: readonly LetterRow[] = await query<LetterRow>({ text: LETTERS, params });
    letters.push(...rows.map(letterOf));
    after = rows.at(-1);
    if (rows.length < PAGE) return letters;
  }
}

const letterOf = (row: LetterRow): DeadLetter => ({
  ...messageOf(row),
  referenceId: row.reference_id,
  code: row.reason_code ?? 'refused',
  sentence: row.reason ?? '',
  round: row.round,
});

/** What an operator knows of a message of unknown fate; null: ask Stripe's sums once more. */
export type KnownFate = 'missing' | 'arrived' | null;

const RESEND = `
  UPDATE usage_messages m SET state = 'waiting', reason_code = NULL, reason = NULL, lease = NULL, told_at = NULL,
    next_attempt_at = $2::timestamptz, identifier = v.identifier, round = v.round::integer,
    unknown_since = CASE WHEN v.round::integer = m.round THEN m.unknown_since END
  FROM unnest($3::text[], $4::text[], $5::text[]) AS v (before, identifier, round)
  WHERE m.state = 'dead' AND m.tenant_id = $1::uuid AND m.identifier = v.before
  RETURNING m.identifier`;

const SETTLE = `
  UPDATE usage_messages m SET state = 'delivered', delivered_at = $2::timestamptz, unknown_since = NULL
  WHERE m.state = 'dead' AND m.unknown_since IS NOT NULL AND m.tenant_id = $1::uuid AND m.identifier = ANY ($3::text[])
  RETURNING m.identifier`;

/**
 * Sends dead letters again, or (`arrived`) takes them for delivered. Those that somebody else has sent meanwhile are left; so
 * are those of which Stripe has said that they do not count, where they are said to have arrived.
 *
 * @returns how many were.
 */
export async function resendDeadLetters(
  query: Query,
  of: { readonly tenantId: string; readonly identifiers: readonly string[]; readonly fate?: KnownFate },
  nowMs: number,
): Promise<number> {
  const { tenantId, identifiers, fate = null } = of;
  if (fate === 'arrived') return (await query({ text: SETTLE, params: [tenantId, isoOf(nowMs), identifiers] })).length;
  const letters = await findDeadLetters(query, tenantId, identifiers);
  const next = letters.map((letter) => ({ letter, round: letter.round + (keepsName(letter, fate) ? 0 : 1) }));
  const sent = await query({
    text: RESEND,
    params: [
      tenantId,
      isoOf(nowMs),
      next.map(({ letter }) => letter.identifier),
      next.map(({ letter, round }) => identifierOf(letter, letter.number, round)),
      next.map(({ round }) => String(round)),
    ],
  });
  return sent.length;
}

const BURY = `
  UPDATE usage_messages m SET state = 'dead', reason_code = 'buried', reason = $3, unknown_since = NULL, lease = NULL, told_at = $2::timestamptz
  WHERE m.state = 'delivered' AND m.tenant_id = $1::uuid AND m.identifier = ANY ($4::text[]) RETURNING m.identifier`;

const BURIED = 'Stripe had accepted it and does not count it, as an operator found.';

/**
 * Makes dead letters of messages that Stripe had accepted, on the word of an operator who has looked: error reports name a few
 * of those that they count. Sent again, they have another name.
 *
 * @returns the identifiers of those that are dead letters now.
 */
export async function buryDelivered(
  query: Query,
  of: { readonly tenantId: string; readonly identifiers: readonly string[] },
  nowMs: number,
): Promise<readonly string[]> {
  const params = [of.tenantId, isoOf(nowMs), BURIED, of.identifiers];
  const rows = await query<{ readonly identifier: string }>({ text: BURY, params });
  return rows.map(({ identifier }) => identifier);
}

/** While it may have arrived. */
const keepsName = (letter: DeadLetter, fate: KnownFate): boolean => isOfUnknownFate(letter) && fate !== 'missing';

/** One line for people. */
export const spellDeadLetter = (letter: DeadLetter): string =>
  `${letter.identifier}  ${letter.referenceId} ${letter.featureKey}: ${formatUnits(letter.quantity)} of ${isoOf(letter.periodStartMs)}, ${letter.code}: ${letter.sentence}`;
