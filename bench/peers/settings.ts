/** settings — what peers are set up with, and where they keep it. */

/** As in our own catalog, a limit that denies no call of the bench. */
export const FLEXIBLE_LIMIT = 1_000_000_000;
export const FLEXIBLE_SECONDS = 30 * 24 * 3_600;
export const FLEXIBLE_TABLE = 'flexible';

/** Credits that each user of stripe-no-webhooks has to begin with. */
export const CREDITS = 1_000_000_000;
