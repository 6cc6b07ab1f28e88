/**
 * error-reports — what Stripe says later of meter events that it had accepted: they do not count, and are dead letters.
 *
 * A report names some of the events only. The others are found by comparing sums; see `reconcile.ts`.
 */
import type Stripe from 'stripe';
import type { Query } from '../../../db/client.ts';

export type ErrorReport =
  | Stripe.V2.Core.Events.V1BillingMeterErrorReportTriggeredEvent
  | Stripe.V2.Core.Events.V1BillingMeterNoMeterFoundEvent;

const BURY = `
  UPDATE usage_messages m SET state = 'dead', reason_code = v.code, reason = v.sentence, unknown_since = NULL, lease = NULL, told_at = NULL
  FROM unnest($1::text[], $2::text[], $3::text[]) AS v (identifier, code, sentence), tenants t
  WHERE m.identifier = v.identifier AND (m.state <> 'dead' OR m.unknown_since IS NOT NULL)
    AND t.id = m.tenant_id AND t.stripe_account IS NOT DISTINCT FROM $4::text
  RETURNING m.identifier`;

export type Buried = {
  /** Identifiers of messages that have become dead letters. */
  readonly buried: readonly string[];
  /** Events that the report counts and does not name. */
  readonly unnamed: number;
};

/**
 * Turns what a report names into dead letters. To hear it twice changes nothing; a message that was sent anew since then has
 * another identifier, and is not meant. An account is believed of those tenants alone that are paid into it: any other could
 * name their messages, too.
 *
 * @param stripeAccount The connected account that it is of; null for the platform's own.
 */
export async function buryReported(
  query: Query,
  { data: { reason } }: Pick<ErrorReport, 'data'>,
  stripeAccount: string | null,
): Promise<Buried> {
  const samples = reason.error_types.flatMap(({ code, sample_errors }) =>
    sample_errors.map(({ error_message, request }) => ({
      code,
      sentence: error_message,
      identifier: request.identifier,
    })),
  );
  const rows = await query<{ readonly identifier: string }>({
    text: BURY,
    params: [
      samples.map(({ identifier }) => identifier),
      samples.map(({ code }) => code),
      samples.map(({ sentence }) => sentence),
      stripeAccount,
    ],
  });
  const counted = reason.error_types.reduce((sum, { error_count }) => sum + Number(error_count), 0);
  return { buried: rows.map(({ identifier }) => identifier), unnamed: counted - samples.length };
}
