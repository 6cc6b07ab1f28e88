/**
 * billing-period — the period that a plan's base price is paid for.
 *
 * It is counted from the customer's own start in the time zone of that (`anchorZoneOf`), apart from the periods in which features
 * count: credits may come monthly on a plan that is paid yearly. Changes of plan at renewal wait for its end, and base
 * prices are shared out by it.
 */
import type { BillingInterval } from './plan.ts';
import { anchoredTile, type Tile } from './tiling.ts';

/**
 * The billing period around an instant, `[start, end)` in epoch milliseconds; it always ends.
 *
 * The local date and time of the anchor are kept: from 31 January, 11:00, the months begin on 28 February and 31 March at
 * 11:00, whatever the clocks do in between. Instants before the anchor have their periods, too.
 */
export const billingPeriod = (interval: BillingInterval, anchorMs: number, timeZone: string, atMs: number): Tile =>
  anchoredTile({ every: 1, unit: interval }, anchorMs, timeZone, atMs);
