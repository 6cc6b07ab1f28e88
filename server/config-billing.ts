/** config-billing — the part of a config file that says who bills customers. */
import { duration, fields, oneOf } from './config-parts.ts';

export const BILLERS = ['manual'] as const;
export type BillerName = (typeof BILLERS)[number];

export type BillingSettings = {
  /** Null for nobody. */
  readonly biller: BillerName | null;
  /** How long after its end a billing period is invoiced. */
  readonly finaliseAfterMs: number;
};

const HOUR_MS = 3_600_000;
export const FINALISE_AFTER_MS = HOUR_MS;
/** Use may be told so late, and an invoice that waits longer waits for nothing. */
const FINALISE_AFTER_DAYS_MAX = 35;

const finaliseAfter = duration.refine((ms) => ms >= 0 && ms <= FINALISE_AFTER_DAYS_MAX * 24 * HOUR_MS, {
  error: ({ input }) =>
    `is ${Number(input) / HOUR_MS} hours; write a duration from "PT0S" to "P${FINALISE_AFTER_DAYS_MAX}D", like "PT1H"`,
});

export const billing = fields('billing', {
  biller: oneOf(BILLERS).exactOptional(),
  finaliseAfter: finaliseAfter.exactOptional(),
}).transform(
  ({ biller = null, finaliseAfter: finaliseAfterMs = FINALISE_AFTER_MS }): BillingSettings => ({
    biller,
    finaliseAfterMs,
  }),
);

export const NO_BILLING: BillingSettings = { biller: null, finaliseAfterMs: FINALISE_AFTER_MS };
