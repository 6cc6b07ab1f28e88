/**
 * usage-report — what a biller is told of a counter, and when: whole units of overage, each once. Pure.
 *
 * A counter is cumulative, and what was told of it is remembered beside it; so whatever moves it, late use, refunds or
 * grants that settle overage, the next message is the difference.
 */
import { maxUnits, minUnits, ONE, roundToWhole, type Units } from './units.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long after a period's end the biller still takes its usage onto the period's own invoice. */
export const GRACE_MS = HOUR_MS;
/** So long after it everything should have arrived: whoever is told then still has time to do something. */
export const OVERDUE_MS = 45 * MINUTE_MS;
/** The biller takes nothing that is said to be older. */
export const REPORTED_BACK_MAX_MS = 35 * DAY_MS;
/** The biller refuses an identifier that it knows for 24 h. Within this, to send again is always safe. */
export const RESEND_SAFE_MS = 20 * HOUR_MS;
/** The biller counts what it has accepted after a while. */
export const SETTLING_MS = 10 * MINUTE_MS;
/** The biller takes 15 digits. */
export const QUANTITY_MAX: Units = (10n ** 15n - 1n) * ONE;

/**
 * When the window closes in which something has changed, so that it is told.
 *
 * @param periodEndMs Of the counter; what comes within the grace after it is told at once. Null when it never ends.
 */
export function windowCloses(nowMs: number, periodEndMs: number | null, windowMs: number): number {
  const endMs = (Math.floor(nowMs / windowMs) + 1) * windowMs;
  if (periodEndMs === null || endMs <= periodEndMs) return endMs;
  if (nowMs < periodEndMs) return periodEndMs;
  return nowMs < periodEndMs + GRACE_MS ? nowMs : endMs;
}

/** What is known of a counter when a window closes. */
export type Reportable = {
  readonly overage: Units;
  /** The parts of it that nobody is billed for: used while there was no price, or held and not used yet. */
  readonly unpriced: Units;
  readonly held: Units;
  /** Whole units that messages tell of already. */
  readonly reported: Units;
  readonly periodEndMs: number | null;
};

/** Units to be billed, parts of a unit too. */
export const billableOf = ({ overage, unpriced, held }: Omit<Reportable, 'reported' | 'periodEndMs'>): Units =>
  maxUnits(overage - unpriced - held, 0n);

export type Report = {
  /** Whole units for the next message; 0 for none. */
  readonly quantity: Units;
  /** When to look again though nothing changes; null for never. */
  readonly dueAtMs: number | null;
};

/**
 * What to tell now. A part of a unit stays until it comes to a whole one; when the period has ended the total is rounded,
 * half-even.
 */
export function reportOf(counter: Reportable, nowMs: number): Report {
  const { reported, periodEndMs } = counter;
  const billable = billableOf(counter);
  const hasEnded = periodEndMs !== null && periodEndMs <= nowMs;
  const missing = hasEnded ? roundToWhole(billable) - reported : wholeOf(billable - reported);
  const quantity = maxUnits(minUnits(missing, QUANTITY_MAX), -QUANTITY_MAX);
  if (quantity !== missing) return { quantity, dueAtMs: nowMs };
  return { quantity, dueAtMs: hasEnded || billable === reported + quantity ? null : periodEndMs };
}

const wholeOf = (units: Units): Units => (units / ONE) * ONE;

/** A message as far as its next step hangs on it. */
export type Pending = {
  readonly periodStartMs: number;
  readonly periodEndMs: number | null;
  /** When the newest of its use happened. */
  readonly usedAtMs: number;
  /** When the first of those tries began of which nobody knows what became; null for none. */
  readonly unknownSinceMs: number | null;
  /** As it was sent last; null before. */
  readonly countedAtMs: number | null;
};

/** Who pays, as the biller knows it. */
export type Payer = {
  readonly stripeCustomerId: string;
  /** The connected account; null for the platform's own. */
  readonly stripeAccount: string | null;
  /** The billing period of its subscription, as it was known last; null where none bills use. */
  readonly billedFromMs: number | null;
  readonly billedUntilMs: number | null;
  /** Whether that period is the first one: no invoice before it has use on it. */
  readonly isFirstPeriod: boolean;
  /** When the subscription ended; null while it goes on. */
  readonly endedAtMs: number | null;
};

/** Why nothing can be sent now: nobody would be billed for it. */
export type Obstacle =
  /** The biller does not know the customer yet. */
  | 'no_customer'
  /** It does, and bills it for nothing that is used. */
  | 'no_subscription'
  /** The billing period that is known is over, and its invoice closed; which one runs now is not known yet. */
  | 'stale_period';

export type Step =
  | { readonly kind: 'send'; readonly countedAtMs: number }
  /** Nobody knows whether it has arrived, and sent again as it is it could count twice, or too late. */
  | { readonly kind: 'compare'; readonly countedAtMs: number }
  | { readonly kind: 'wait'; readonly for: Obstacle }
  | { readonly kind: 'too_old' };

/**
 * What to do next with a message. As long as nobody knows whether it has arrived it is sent as it was; but it is not sent
 * again where that would be too late for the invoice that it was meant for, before the biller's own sum was looked at.
 */
export function nextStep(message: Pending, payer: Payer | null, nowMs: number): Step {
  const { unknownSinceMs, countedAtMs } = message;
  const obstacle = obstacleOf(message, payer, nowMs);
  if (payer === null || obstacle === 'no_customer') return waitsFor('no_customer', message, nowMs);
  if (obstacle === 'stale_period') return { kind: 'wait', for: obstacle };
  const ownMs = countedAt(message, payer, nowMs);
  if (unknownSinceMs !== null && countedAtMs !== null) {
    const isSafe = obstacle === null && nowMs - unknownSinceMs < RESEND_SAFE_MS && ownMs === countedAtMs;
    return { kind: isSafe ? 'send' : 'compare', countedAtMs };
  }
  if (obstacle !== null) return waitsFor(obstacle, message, nowMs);
  return isTooOld(ownMs, nowMs) ? { kind: 'too_old' } : { kind: 'send', countedAtMs: ownMs };
}

const waitsFor = (obstacle: Obstacle, message: Pending, nowMs: number): Step =>
  isTooOld(latestOf(message), nowMs) ? { kind: 'too_old' } : { kind: 'wait', for: obstacle };

const isTooOld = (atMs: number, nowMs: number): boolean => atMs <= nowMs - REPORTED_BACK_MAX_MS;

/** The last invoice of a subscription that has ended is closed like any other, an hour later. */
function obstacleOf(message: Pending, payer: Payer | null, nowMs: number): Obstacle | null {
  if (payer === null) return 'no_customer';
  const { billedFromMs, billedUntilMs, endedAtMs } = payer;
  if (billedFromMs === null) return 'no_subscription';
  if (endedAtMs !== null) {
    const isBilled = latestOf(message) < endedAtMs && nowMs < endedAtMs + GRACE_MS;
    return isBilled ? null : 'no_subscription';
  }
  return billedUntilMs !== null && nowMs >= billedUntilMs + GRACE_MS ? 'stale_period' : null;
}

/**
 * The second at which use counts: its own, within its counter's period. What comes when its invoice is closed goes onto
 * the next one; told for the period before, nobody would ever be billed for it. Before the first period there is no invoice.
 */
export function countedAt(
  message: Pending,
  { billedFromMs, isFirstPeriod }: Pick<Payer, 'billedFromMs' | 'isFirstPeriod'>,
  nowMs: number,
): number {
  const ownMs = wholeSecond(latestOf(message));
  if (billedFromMs === null || ownMs >= billedFromMs) return ownMs;
  const isInvoiced = isFirstPeriod || nowMs >= billedFromMs + GRACE_MS;
  return isInvoiced ? Math.ceil(billedFromMs / SECOND_MS) * SECOND_MS : ownMs;
}

function latestOf({ periodStartMs, periodEndMs, usedAtMs }: Pending): number {
  if (periodEndMs === null || usedAtMs < periodEndMs) return usedAtMs;
  return Math.max(periodEndMs - SECOND_MS, periodStartMs);
}

const wholeSecond = (atMs: number): number => Math.floor(atMs / SECOND_MS) * SECOND_MS;

/** What the biller's own sum says of a message of unknown fate. */
export type Fate =
  | 'arrived'
  | 'missing'
  /** It says nothing: other messages may be in the sum, or something else is. */
  | 'unclear'
  /** Something was sent so lately that the biller may not have counted it yet. */
  | 'unsettled';

/** The span that a message falls into, without the message. */
export type KnownSpan = {
  /** What is known to have arrived there. */
  readonly known: Units;
  /** Whether others may have arrived, too. */
  readonly isDoubtful: boolean;
  /** When anything was sent last that counts there, the message too; null for long ago. */
  readonly triedAtMs: number | null;
};

/** @param sum What the biller has counted in the span. */
export function fateOf(quantity: Units, sum: Units, { known, isDoubtful, triedAtMs }: KnownSpan, nowMs: number): Fate {
  if (triedAtMs !== null && nowMs < triedAtMs + SETTLING_MS) return 'unsettled';
  if (isDoubtful) return 'unclear';
  if (sum === known) return 'missing';
  return sum === known + quantity ? 'arrived' : 'unclear';
}

/** The minute that an instant falls into: the shortest span that the biller sums up. */
export function minuteOf(atMs: number): { readonly startMs: number; readonly endMs: number } {
  const startMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  return { startMs, endMs: startMs + MINUTE_MS };
}

const BACKOFF_FIRST_MS = SECOND_MS;
/** Short enough that many tries fit into the grace. */
const BACKOFF_MAX_MS = 5 * MINUTE_MS;

/** Full jitter: anything up to twice as long with each try. @param random From 0 until before 1. */
export const backoffMs = (attempts: number, random: number): number =>
  Math.floor(random * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempts, 20))) + 1;
