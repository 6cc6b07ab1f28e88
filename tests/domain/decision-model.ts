/**
 * decision-model — a second, slower opinion on what `decide` answers, written from the rules alone.
 *
 * Each reason for refusal is asked by itself, in the published order; what can be paid for is found by trying; prices
 * are worked out with fractions. Of the code that it judges it shares the shapes, and nothing else.
 */

import { DENIAL_REASONS, type DenialReason } from '../../server/domain/denial.ts';
import type { Draw } from '../../server/domain/grant.ts';
import type { MeterState, UsageRequest } from '../../server/domain/meter-state.ts';
import { type Threshold, thresholdKey } from '../../server/domain/threshold.ts';
import { formatUnits } from '../../server/domain/units.ts';
import { costOf, roundHalfEven, shareOf } from '../model/cost.ts';

/** The generators speak in halves. */
export const HALF = 500_000_000n;
const ONE = 2n * HALF;

/** What paid, in the words of an answer; draws by grant. */
export type Parts = {
  readonly included: bigint;
  readonly credits: bigint;
  readonly wallet: bigint;
  readonly overage: bigint;
  readonly cost: bigint;
  readonly walletCharge: bigint;
  readonly draws: Readonly<Record<string, bigint>>;
};

export type Opinion =
  | { readonly says: 'invalid' }
  | { readonly says: DenialReason }
  | {
      readonly says: 'allowed';
      readonly taken: bigint;
      readonly used: bigint;
      readonly held: bigint;
      readonly parts: Parts;
      /** Marks of the alerts it raises. */
      readonly raised: readonly string[];
    };

export function opinionOn(state: MeterState, request: UsageRequest, nowMs: number): Opinion {
  if (makesNoSense(state, request)) return { says: 'invalid' };
  const wanted = wantedBy(state, request);
  const reason = DENIAL_REASONS.find((candidate) => holds[candidate](state, request, wanted, nowMs));
  if (reason) return { says: reason };
  const taken = isClamped(state, request) ? mostOf(state, request, wanted) : wanted;
  const parts = taken > 0n ? paymentOf(state, taken) : returnOf(state, -taken);
  const isHold = request.purpose === 'hold';
  const used = state.counter.used + (isHold ? 0n : taken);
  return {
    says: 'allowed',
    taken,
    used,
    held: state.counter.held + (isHold ? taken : 0n),
    parts,
    raised: isHold ? [] : crossed(state, used, state.counter.cost + parts.cost),
  };
}

const ADDING: readonly string[] = ['count', 'sum', 'duration'];

function makesNoSense({ aggregation, policy, entity }: MeterState, { amount, purpose }: UsageRequest): boolean {
  const countsOnes = aggregation === 'count' || aggregation === 'unique';
  const neverFalls = aggregation === 'max' || aggregation === 'unique';
  return (
    (amount === 0n && aggregation !== 'latest') ||
    (countsOnes && amount !== ONE && amount !== -ONE) ||
    (amount < 0n && (neverFalls || (policy.minLimit === null && aggregation !== 'weighted_sum'))) ||
    (purpose === 'hold' && (amount < 0n || !ADDING.includes(aggregation))) ||
    (entity !== null && !ADDING.includes(aggregation))
  );
}

/** Units that the report would add to what is used. */
function wantedBy({ aggregation, counter }: MeterState, { amount, atMs, isNewValue }: UsageRequest): bigint {
  const { used, gauge, period } = counter;
  switch (aggregation) {
    case 'max':
      return amount > used ? amount - used : 0n;
    case 'unique':
      return isNewValue ? amount : 0n;
    case 'latest':
      return amount - used;
    case 'weighted_sum': {
      const endMs = period.endMs ?? Number.NaN;
      const area = (gauge?.area ?? 0n) + amount * BigInt(endMs - atMs);
      return roundHalfEven({ over: area, under: BigInt(endMs - period.startMs) }) - used;
    }
    default:
      return amount;
  }
}

const isForced = ({ mode, purpose }: UsageRequest): boolean => mode === 'OVERFLOW' || purpose === 'record';

/** Whether a part would do. There is none of an event, of a value, of a share of time. */
function isClamped({ aggregation }: MeterState, { mode, purpose, amount }: UsageRequest): boolean {
  if (mode !== 'CLAMP') return false;
  if (amount < 0n) return aggregation === 'sum' || aggregation === 'duration';
  return purpose !== 'record' && ['sum', 'duration', 'max', 'latest'].includes(aggregation);
}

type Rule = (state: MeterState, request: UsageRequest, wanted: bigint, nowMs: number) => boolean;
const never: Rule = () => false;

/** A bound refuses where it leaves less than is wanted or, of a call that takes what fits, nothing. */
const bounded =
  (most: (state: MeterState, wanted: bigint) => bigint): Rule =>
  (state, request, wanted) => {
    if (wanted <= 0n || isForced(request)) return false;
    const left = most(state, wanted);
    return isClamped(state, request) ? left === 0n : left < wanted;
  };

/** Whether each reason holds by itself, whatever the others say. */
const holds: Record<DenialReason, Rule> = {
  NOT_AUTHORIZED: never, // the door's answer
  RATE_LIMITED: ({ rateRules, rateWindows }, { purpose }, _, nowMs) =>
    purpose !== 'record' &&
    rateRules.some(({ scope, limit, windowMs }) => {
      const window = rateWindows.get(`${scope} ${windowMs}`);
      return window !== undefined && nowMs < window.startMs + windowMs && window.calls >= limit;
    }),
  FEATURE_NOT_IN_PLAN: ({ entitled }) => !entitled,
  LIMIT_REACHED: bounded(mostUnderLimits),
  SPEND_LIMIT_REACHED: bounded(mostUnderSpendLimits),
  INSUFFICIENT_FUNDS: bounded(mostPaid),
  BELOW_MINIMUM: (state, request, wanted) => {
    const { aggregation, policy, counter, entity } = state;
    const floor = policy.minLimit ?? 0n;
    if (aggregation === 'latest') {
      return counter.used + (isClamped(state, request) ? mostOf(state, request, wanted) : wanted) < floor;
    }
    if (request.amount > 0n) return false;
    if (aggregation === 'weighted_sum') return (counter.gauge?.level ?? 0n) + request.amount < floor;
    if (isClamped(state, request)) return returnable(state) <= 0n;
    return counter.used + request.amount < floor || (entity !== null && entity.taken + request.amount < 0n);
  },
  REFUSED_BY_HOOK: never, // the hook's answer
};

/** What a call that is content with a part takes. */
function mostOf(state: MeterState, request: UsageRequest, wanted: bigint): bigint {
  if (wanted > 0n) return isForced(request) ? wanted : mostPaid(state, wanted);
  if (!ADDING.includes(state.aggregation)) return wanted;
  return -wanted > returnable(state) ? -returnable(state) : wanted;
}

/** How much can be given back before the floor is met. */
function returnable({ policy, counter, entity }: MeterState): bigint {
  const left = counter.used - (policy.minLimit ?? 0n);
  return entity !== null && entity.taken < left ? entity.taken : left;
}

function mostUnderLimits({ policy, counter, entity }: MeterState, wanted: bigint): bigint {
  if (policy.enforcement === 'soft') return wanted;
  const rooms = [
    ...(policy.limit === null ? [] : [policy.limit - counter.used - counter.held]),
    ...(policy.entityLimit === null || entity === null ? [] : [policy.entityLimit - entity.taken]),
  ];
  return rooms.reduce((most, room) => smaller(most, room > 0n ? room : 0n), wanted);
}

function mostUnderSpendLimits(state: MeterState, wanted: bigint): bigint {
  const { policy, counter, funds } = state;
  const rooms = [
    ...(policy.spendLimit === null ? [] : [policy.spendLimit - counter.cost]),
    ...(funds.spending === null ? [] : [funds.spending.limit - funds.spending.spent]),
  ];
  return mostFor(state, mostUnderLimits(state, wanted), rooms);
}

/** Free units are there for everybody; others for whoever may owe them, or has the money. */
function mostPaid(state: MeterState, wanted: bigint): bigint {
  const { policy, funds } = state;
  const most = mostUnderSpendLimits(state, wanted);
  if (policy.price === null) return policy.enforcement === 'soft' ? most : smaller(most, freeUnits(state));
  return policy.billing === 'postpaid' ? most : mostFor(state, most, [money(funds.wallet)]);
}

/** What of so many units costs no more than any of these amounts: all, or else what is free and whole units on top. */
function mostFor(state: MeterState, wanted: bigint, amounts: readonly bigint[]): bigint {
  const free = smaller(wanted, freeUnits(state));
  const isPaid = (units: bigint) => amounts.every((amount) => priceOf(state, units) <= (amount > 0n ? amount : 0n));
  return free + ([wanted - free, ...wholesBelow(wanted - free)].find(isPaid) ?? 0n);
}

/** 3 and 2 and 1 and 0 for 3.5; 2 and 1 and 0 for 3. */
function wholesBelow(units: bigint): bigint[] {
  const wholes: bigint[] = [];
  for (let some = ((units - 1n) / ONE) * ONE; some >= 0n && units > 0n; some -= ONE) wholes.push(some);
  return wholes;
}

/** What so many more units cost that nothing else pays for. */
function priceOf({ policy: { price }, counter }: MeterState, units: bigint): bigint {
  const before = counter.wallet + counter.overage;
  return price === null ? 0n : costOf(price, before + units) - costOf(price, before);
}

const ENDLESS = 10n ** 60n;

function includedLeft({ policy, counter }: MeterState): bigint {
  if (policy.included === null) return ENDLESS;
  const { used, held, credits, wallet, overage } = counter;
  const left = policy.included - (used + held - credits - wallet - overage);
  return left > 0n ? left : 0n;
}

const freeUnits = (state: MeterState): bigint =>
  state.funds.grants.reduce((total, { remaining }) => total + remaining, includedLeft(state));

const money = (wallet: MeterState['funds']['wallet']): bigint =>
  wallet === null || wallet.balance < wallet.floor ? 0n : wallet.balance - wallet.floor;

/** Included, then credits grant by grant, then as much as the wallet has for it, then the bill. */
function paymentOf(state: MeterState, units: bigint): Parts {
  const included = smaller(units, includedLeft(state));
  const draws: Record<string, bigint> = {};
  let rest = units - included;
  for (const { id, remaining } of state.funds.grants) {
    const drawn = smaller(rest, remaining);
    if (drawn > 0n) draws[id] = drawn;
    rest -= drawn;
  }
  const pays = (some: bigint) => priceOf(state, some) <= money(state.funds.wallet);
  const hasWallet = state.policy.price !== null && state.funds.wallet !== null;
  const wallet = hasWallet ? ([rest, ...wholesBelow(rest)].find(pays) ?? 0n) : 0n;
  return {
    included,
    credits: units - included - rest,
    wallet,
    overage: rest - wallet,
    cost: priceOf(state, rest),
    walletCharge: hasWallet ? priceOf(state, wallet) : 0n,
    draws,
  };
}

/** Last in, first out: off the bill, to the wallet, to the grants last drawn from, and what is left was included. */
function returnOf({ policy: { price }, counter, paid }: MeterState, units: bigint): Parts {
  const overage = smaller(units, paid.overage);
  const wallet = smaller(units - overage, paid.wallet);
  const credits = smaller(units - overage - wallet, paid.credits);
  const priced = counter.wallet + counter.overage;
  const kept = priced - overage - wallet;
  const cost =
    kept === 0n
      ? counter.cost
      : price === null
        ? shareOf(counter.cost, overage + wallet, priced)
        : costOf(price, priced) - costOf(price, kept);
  const share = wallet === 0n ? 0n : shareOf(paid.walletCharge, wallet, paid.wallet);
  const beyond = counter.walletCharge - (counter.cost - smaller(cost, counter.cost)); // what stays must not cost less than the wallet paid
  return {
    included: -(units - overage - wallet - credits),
    credits: -credits,
    wallet: -wallet,
    overage: -overage,
    cost: -smaller(cost, counter.cost),
    walletCharge: -smaller(overage === counter.overage ? larger(beyond, 0n) : larger(share, beyond), paid.walletCharge),
    draws: lastDrawn(paid.draws, credits),
  };
}

/** Draws lie on a pile; what was given back to a grant was taken off the topmost of its own. */
function lastDrawn(draws: readonly Draw[], units: bigint): Record<string, bigint> {
  const pile: { grantId: string; units: bigint }[] = [];
  const takeOff = (wanted: bigint, of: string | null): Record<string, bigint> => {
    const back: Record<string, bigint> = {};
    let missing = wanted;
    for (const draw of [...pile].reverse()) {
      if (of !== null && draw.grantId !== of) continue;
      const some = smaller(missing, draw.units);
      draw.units -= some;
      missing -= some;
      if (some > 0n) back[draw.grantId] = (back[draw.grantId] ?? 0n) - some;
    }
    return back;
  };
  for (const draw of draws) {
    if (draw.units > 0n) pile.push({ ...draw });
    else takeOff(-draw.units, draw.grantId);
  }
  return takeOff(units, null);
}

/** A threshold that is set twice is one threshold. */
function crossed(state: MeterState, used: bigint, cost: bigint): string[] {
  const { counter, policy } = state;
  const rose = used > counter.used || cost > counter.cost;
  const marks = policy.thresholds.flatMap((threshold) => {
    const key = thresholdKey(threshold);
    if (threshold.kind === 'every') return rose ? stepsOver(counter, threshold.value, used, key) : [];
    const whole = wholeOf(threshold, state);
    const beyond = (by: bigint, spent: bigint) => distance(threshold, whole, by, spent);
    const isCrossed = threshold.falling
      ? beyond(counter.used, counter.cost) > 0n && beyond(used, cost) <= 0n
      : rose && beyond(used, cost) >= 0n;
    const mark =
      whole === null || threshold.kind === 'used' || threshold.kind === 'spend' ? key : `${key}@${formatUnits(whole)}`;
    return isCrossed && !counter.raised.has(mark) ? [mark] : [];
  });
  return [...new Set(marks)];
}

/** Every multiple between what was used and what is, unless it or a higher one was told already. */
function stepsOver({ used: before, raised }: MeterState['counter'], step: bigint, used: bigint, key: string): string[] {
  const marks: string[] = [];
  if (step === 0n) return marks;
  for (let line = step; line <= used; line += step) {
    const isTold = [...raised].some((mark) => {
      const [known, told] = mark.split('#');
      return known === key && told !== undefined && Number(told) * Number(ONE) >= Number(line);
    });
    if (line > before && !isTold) marks.push(`${key}#${formatUnits(line)}`);
  }
  return marks;
}

/** What the threshold is a part of; null where there is none. */
function wholeOf({ kind }: Threshold, { policy }: MeterState): bigint | null {
  if (policy.limit !== null || kind === 'remaining') return policy.limit;
  const prepaid = (policy.included ?? 0n) + (policy.credits?.allocation ?? 0n);
  return prepaid > 0n ? prepaid : null;
}

/** How far beyond the line, in billionths; a line that isn't there is never met. */
function distance({ kind, value }: Threshold, whole: bigint | null, used: bigint, cost: bigint): bigint {
  if (kind === 'used') return used - value;
  if (kind === 'spend') return cost - value;
  if (whole === null) return -1n;
  if (kind === 'remaining') return value - (whole - used);
  if (kind === 'fraction') return used * ONE - value * whole;
  return value * whole - (whole - used) * ONE;
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
