/** stripe-usage — a gateway's way of bringing usage to Stripe, and of hearing what Stripe says of it later. */
import type { Logger } from 'pino';
import type Stripe from 'stripe';
import type { Database, Query } from '../../../db/client.ts';
import type { ApiKeyMode } from '../../../domain/api-key.ts';
import type { Clock } from '../../../domain/clock.ts';
import { formatUnits } from '../../../domain/units.ts';
import { buryReported } from './error-reports.ts';
import { payersIn } from './payers.ts';
import { UsageReporter } from './reporter.ts';
import { tellTroubles } from './troubles.ts';

/**
 * Short, since a window that a billing period ends in is told as a whole; long enough that a busy customer is a few
 * hundred messages a month and meter.
 */
export const REPORT_WINDOW_MS = 15 * 60_000;

export type StripeUsageDeps = {
  readonly stripe: Stripe;
  /** Of the key: tenants of the other mode are not billed. Left out: all are. */
  readonly mode?: ApiKeyMode;
  readonly database: Pick<Database, 'db' | 'query'>;
  readonly clock: Clock;
  readonly logger: Logger;
};

export function stripeUsage({ stripe, mode, database, clock, logger }: StripeUsageDeps): UsageReporter {
  const { query } = database;
  return new UsageReporter({
    query,
    clock,
    stripe,
    payersOf: payersIn(query, mode),
    windowMs: REPORT_WINDOW_MS,
    onPaused: ({ stripeAccount, code, sentence, untilMs }) =>
      logger.warn({ account: stripeAccount, code, until: new Date(untilMs) }, `Stripe refuses an account: ${sentence}`),
    tellTroubles: (nowMs) => tellTroubles(database, nowMs),
    onTrouble: ({ kind, quantity, ...about }) => {
      const sentence =
        kind === 'dead'
          ? 'usage will not be billed unless somebody sends it again: metergraph stripe dead-letters'
          : 'usage is late: it is not at Stripe yet, which closes the invoice of a period an hour after its end';
      logger.error({ ...about, quantity: formatUnits(quantity) }, sentence);
    },
    onReconciled: (rows, troubled) => {
      const first = troubled.slice(0, 10).map(({ referenceId, featureKey }) => `${referenceId} ${featureKey}`);
      if (troubled.length === 0) logger.info({ rows }, 'the ledger and Stripe agree');
      else
        logger.error(
          { rows, troubled: troubled.length, first },
          'the ledger and Stripe differ: metergraph stripe reconcile',
        );
    },
    onError: (error) => logger.error({ err: error }, 'usage could not be brought to Stripe; the next run tries again'),
  });
}

/** What a notice without content is about is asked for; others than those of usage are nobody's. */
export async function hearUsageNotice(
  { query, logger }: { readonly query: Query; readonly logger: Logger },
  notice: Stripe.V2.Core.EventNotification,
): Promise<void> {
  if (notice.type !== 'v1.billing.meter.error_report_triggered' && notice.type !== 'v1.billing.meter.no_meter_found') {
    logger.warn({ id: notice.id, type: notice.type }, 'a notice of Stripe that nobody handles');
    return;
  }
  const account = notice.context?.toString() ?? null;
  const { buried, unnamed } = await buryReported(query, await notice.fetchEvent(), account);
  logger.error({ buried, unnamed, account }, 'Stripe does not count usage that it had accepted');
}
