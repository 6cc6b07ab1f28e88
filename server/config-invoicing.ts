/** config-invoicing — the part of `billing` in a config file that says whether invoices are made here, and when. */
import { duration, oneOf } from './config-parts.ts';

export const BILLERS = ['manual'] as const;

export type Invoicing = {
  /** How long after its end a billing period is invoiced. */
  readonly finaliseAfterMs: number;
};

const HOUR_MS = 3_600_000;
const FINALISE_AFTER_MS = HOUR_MS;
/** Use may be told so late, and an invoice that waits longer waits for nothing. */
const FINALISE_AFTER_DAYS_MAX = 35;

const finaliseAfter = duration.refine((ms) => ms >= 0 && ms <= FINALISE_AFTER_DAYS_MAX * 24 * HOUR_MS, {
  error: ({ input }) =>
    `comes to ${Number(input) / HOUR_MS} hours; write a duration from "PT0S" to "P${FINALISE_AFTER_DAYS_MAX}D", like "PT1H"`,
});

export const invoicingShape = {
  biller: oneOf(BILLERS).exactOptional(),
  finaliseAfter: finaliseAfter.exactOptional(),
};

type Said = { readonly biller?: (typeof BILLERS)[number]; readonly finaliseAfter?: number };

/** Null where nobody makes invoices. */
export const invoicingOf = ({ biller, finaliseAfter: finaliseAfterMs }: Said = {}): Invoicing | null =>
  biller === 'manual' ? { finaliseAfterMs: finaliseAfterMs ?? FINALISE_AFTER_MS } : null;
