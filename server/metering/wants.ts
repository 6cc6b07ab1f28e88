/**
 * wants — what a batch needs to read beyond its first look: nothing for most, so that most have one flight less.
 *
 * The second look is at what the first showed to be needed: credits and wallets of customers who have any, distinct values, counters
 * of the past, everything of customers of whom something is due. The third is at grants that are to be given back to.
 */
import { MeterError } from '../domain/errors.ts';
import type { Feature } from '../domain/feature.ts';
import type { Catalog } from '../domain/plan.ts';
import { isTimely } from '../domain/timely.ts';
import { ownPlan } from './meter.ts';
import type { Request, ReserveRequest } from './requests.ts';
import { type CustomerState, meterKey } from './state.ts';
import {
  lookAtCounters,
  lookAtEarlierCounters,
  lookAtOpenCounters,
  lookAtValues,
  type MeterName,
  type ValueName,
} from './store/load-counters.ts';
import { lookAtCredits, lookAtDueGrants, lookAtGrants, lookAtGrantsOfOrigin } from './store/load-credits.ts';
import { lookAtAnswers, lookAtCustomers } from './store/load-customers.ts';
import { lookAtDraws, lookAtEvents } from './store/load-events.ts';
import { lookAtOpenReservations, lookAtReservations } from './store/load-reservations.ts';
import { lookAtWallets } from './store/load-wallets.ts';
import type { Customers, Look } from './store/look.ts';
import { distinctValueOf } from './verbs/describe.ts';
import { isDue } from './verbs/settle.ts';

/** What every batch reads: the customers first, so that nothing is older than the lock on them. */
export function firstLook(requests: readonly Request[], lock: boolean): readonly [Look, ...Look[]] {
  const named = requests.filter((r) => r.kind === 'commit' || r.kind === 'release');
  const grants = requests.filter((r) => r.kind === 'grant' || r.kind === 'void-grant');
  const events = requests.filter((r) => r.kind === 'reverse');
  return [
    lookAtCustomers(
      requests.map((r) => r.customerId),
      lock,
    ),
    lookAtCounters(requests.flatMap(metersNamed)),
    lookAtAnswers(requests),
    ...(named.length > 0
      ? [lookAtReservations(named.map((r) => ({ customerId: r.customerId, id: r.reservationId })))]
      : []),
    ...(grants.length > 0 ? looksAtLines(grants.map((r) => ({ customerId: r.customerId, id: r.grantId }))) : []),
    ...(events.length > 0 ? lookAtEvents(events) : []),
  ];
}

/** What is due of customers, and when the next will be: their grants, their counters that no one has closed. */
const lookAtDue = (customerIds: readonly string[], nowMs: number): readonly Look[] => [
  ...lookAtDueGrants(customerIds, nowMs),
  lookAtOpenCounters(customerIds),
];

const looksAtLines = (names: readonly { readonly customerId: string; readonly id: string }[]): readonly Look[] => [
  lookAtGrants(names),
  lookAtGrantsOfOrigin(names),
];

function metersNamed(request: Request): readonly MeterName[] {
  if (!('featureKey' in request)) return [];
  const { customerId, featureKey } = request;
  const own: MeterName = { customerId, featureKey, entityId: null };
  const entityId = 'entityId' in request ? request.entityId : null;
  return entityId === null ? [own] : [own, { customerId, featureKey, entityId }];
}

/** One request with all it is about, as far as the first look could tell. */
type Subject = {
  readonly request: Request;
  readonly customer: CustomerState;
  readonly catalog: Catalog;
  readonly feature: Feature;
  readonly entityId: string | null;
  /** The instant whose counter is needed, if it may be an earlier one. */
  readonly pastMs: number | null;
};

/** How many grants of a feature are read at first: more than most calls draw from. */
export const GRANTS_AT_FIRST = 32;

/** @returns the looks of the second flight; none for most batches. */
export function secondLook(
  requests: readonly Request[],
  customers: Customers,
  catalogs: ReadonlyMap<string, Catalog>,
  nowMs: number,
  grantsMax: number,
): readonly Look[] {
  const reserves = new Map(requests.flatMap((r) => (r.kind === 'reserve' ? [[r.reservationId, r] as const] : [])));
  const subjects = requests.flatMap((request) => subjectOf(request, customers, catalogs, reserves));
  const due = [...customers.values()].filter((customer) => isDue(customer, nowMs));
  const late = subjects.filter(isNamedLate);
  const credits = [
    ...subjects.filter((s) => wantsCredits(s, nowMs)).map(meterName),
    ...due.flatMap((c) => everyMeter(c, catalogs)),
  ];
  const wallets = [
    ...subjects.filter((s) => wantsWallet(s, nowMs)).map(ownerOf),
    ...due.map(idOf),
    ...requests.filter(isAboutMoney).map(ownerOf),
  ];
  const values = subjects.flatMap(valueNamed);
  const past = subjects.filter((s) => !isRefusedForItsTime(s, nowMs)).flatMap(pastNamed);
  const giving = subjects.filter(givesBack);
  const holding = [...giving.map(ownerOf), ...due.map(idOf)];
  return [
    ...(late.length > 0 ? [lookAtCounters(late.flatMap(namesOf))] : []),
    ...(due.length > 0 ? lookAtDue(due.map(idOf), nowMs) : []),
    ...(credits.length > 0 ? lookAtCredits(distinct(credits), grantsMax) : []),
    ...(wallets.length > 0 ? [lookAtWallets(wallets)] : []),
    ...(values.length > 0 ? [lookAtValues(values)] : []),
    ...(past.length > 0 ? [lookAtEarlierCounters(past)] : []),
    ...(giving.length > 0 ? [lookAtDraws(distinct(giving.map(meterName)))] : []),
    ...(holding.length > 0 ? [lookAtOpenReservations(holding)] : []),
  ];
}

/** Grants that something may be given back to and that no earlier look was at. */
export function thirdLook(customers: Customers): readonly Look[] {
  const names = [...customers.values()].flatMap((customer) => {
    if (!customer.prepaid) return [];
    const open = [...customer.reservations.values()].filter(({ state }) => state === 'open');
    const draws = [
      ...open.flatMap(({ payment }) => payment.draws),
      ...[...customer.events.values()].flatMap(({ payment }) => payment.draws),
      ...[...customer.drawn.values()].flat(),
    ];
    const known = new Set([...customer.credits.values()].flatMap(({ grants }) => [...grants.keys()]));
    const missing = new Set(draws.map(({ grantId }) => grantId).filter((id) => !known.has(id)));
    return [...missing].map((id) => ({ customerId: customer.id, id }));
  });
  return names.length > 0 ? [lookAtGrants(names)] : [];
}

/** The holds that the batch itself makes, by id: what follows in it may be about one of them. */
type Reserves = ReadonlyMap<string, ReserveRequest>;

function subjectOf(
  request: Request,
  customers: Customers,
  catalogs: ReadonlyMap<string, Catalog>,
  reserves: Reserves,
): readonly Subject[] {
  const customer = customers.get(request.customerId);
  const catalog = catalogs.get(request.tenantId);
  if (!customer || !catalog || customer.tenantId !== request.tenantId) return [];
  const place = placeNamed(request, customer, reserves);
  const feature = place && catalog.features.get(place.featureKey);
  return place && feature
    ? [{ request, customer, catalog, feature, entityId: place.entityId, pastMs: place.pastMs }]
    : [];
}

/** Use of so long ago is refused, so that nobody has the counters of all times read. */
const isRefusedForItsTime = ({ request }: Subject, nowMs: number): boolean =>
  request.kind === 'consume' && request.occurredAtMs !== null && !isTimely(request.occurredAtMs, nowMs);

type Place = { readonly featureKey: string; readonly entityId: string | null; readonly pastMs: number | null };

/** Which meter a request is about, and the instant whose counter it needs where that may be an earlier one. */
function placeNamed(request: Request, customer: CustomerState, reserves: Reserves): Place | null {
  switch (request.kind) {
    case 'consume':
      return { featureKey: request.featureKey, entityId: request.entityId, pastMs: request.occurredAtMs };
    case 'reserve':
      return { featureKey: request.featureKey, entityId: request.entityId, pastMs: null };
    case 'grant':
    case 'reset':
      return { featureKey: request.featureKey, entityId: null, pastMs: null };
    case 'commit':
    case 'release': {
      const held = customer.reservations.get(request.reservationId);
      if (held) return { featureKey: held.featureKey, entityId: held.entityId, pastMs: held.periodStartMs };
      const made = reserves.get(request.reservationId);
      return made ? { featureKey: made.featureKey, entityId: made.entityId, pastMs: null } : null;
    }
    case 'reverse': {
      const event = customer.events.get(request.sequence);
      return event ? { featureKey: event.featureKey, entityId: event.entityId, pastMs: event.periodStartMs } : null;
    }
    case 'void-grant': {
      const [featureKey] = [...customer.credits].find(([, { grants }]) => grants.has(request.grantId)) ?? [];
      return featureKey === undefined ? null : { featureKey, entityId: null, pastMs: null };
    }
    default:
      return null;
  }
}

/** Whether the first look could not know the meter. */
const isNamedLate = ({ request }: Subject): boolean => !('featureKey' in request);

function wantsCredits({ customer, catalog, feature }: Subject, nowMs: number): boolean {
  if (customer.prepaid) return true;
  const plan = ownPlan(customer, catalog, nowMs);
  const fields = [feature, plan?.features.get(feature.key), customer.overrides.get(feature.key)];
  return fields.some((limits) => limits?.credits);
}

/** The row of the wallet also holds what is spent, whether or not a plan limits that yet. */
function wantsWallet({ request, customer, catalog, feature }: Subject, nowMs: number): boolean {
  if (customer.prepaid) return true;
  const named =
    'overrideKey' in request && request.overrideKey !== null ? catalog.plans.get(request.overrideKey) : null;
  const plan = named ?? ownPlan(customer, catalog, nowMs);
  if ((plan?.spendLimit ?? plan?.wallet ?? null) !== null) return true;
  return [feature, plan?.features.get(feature.key), customer.overrides.get(feature.key)].some(
    (limits) => limits?.price,
  );
}

const isAboutMoney = ({ kind }: Request): boolean =>
  kind === 'top-up' || kind === 'set-wallet' || kind === 'settle-top-up';

function valueNamed({ request, customer, feature }: Subject): readonly ValueName[] {
  if (feature.of === null || !('properties' in request)) return [];
  const value = valueIfGiven(request.properties, feature);
  return value === null ? [] : [{ customerId: customer.id, featureKey: feature.key, value }];
}

/** A call without its value is refused when it is decided. */
function valueIfGiven(properties: string | null, feature: Feature): string | null {
  try {
    return distinctValueOf(properties, feature);
  } catch (error) {
    if (error instanceof MeterError) return null;
    throw error;
  }
}

/** Late use needs the counters since then; what is in the newest period needs none but that. */
function pastNamed(subject: Subject): readonly (MeterName & { readonly atMs: number })[] {
  const { customer, feature, pastMs } = subject;
  if (pastMs === null) return [];
  const newest = customer.counters.get(meterKey(feature.key, null));
  const isKnown = !isNamedLate(subject);
  if (isKnown && (!newest || newest.period.startMs <= pastMs)) return [];
  return namesOf(subject).map((name) => ({ ...name, atMs: pastMs }));
}

/** Whether units may be given back that something else than the plan has paid for, or that are held beside others. */
function givesBack(subject: Subject): boolean {
  const { request, customer, feature } = subject;
  const mayBeHeld = isNamedLate(subject) || (customer.counters.get(feature.key)?.held ?? 0n) > 0n;
  if (!customer.prepaid && !mayBeHeld) return false;
  if (request.kind === 'grant') return request.settlesOverage;
  if (request.kind === 'reverse') return true;
  const isGauge = feature.aggregation === 'latest' || feature.aggregation === 'weighted_sum';
  return isGauge || ('amount' in request && request.amount !== null && request.amount < 0n);
}

function everyMeter(customer: CustomerState, catalogs: ReadonlyMap<string, Catalog>) {
  const features = catalogs.get(customer.tenantId)?.features ?? new Map<string, Feature>();
  return [...features.keys()].map((featureKey) => ({ customerId: customer.id, featureKey }));
}

function namesOf({ customer, feature, entityId }: Subject): readonly MeterName[] {
  const own: MeterName = { customerId: customer.id, featureKey: feature.key, entityId: null };
  return entityId === null ? [own] : [own, { ...own, entityId }];
}

const meterName = ({ customer, feature }: Subject) => ({ customerId: customer.id, featureKey: feature.key });
const ownerOf = (of: Subject | Request): string => ('customer' in of ? of.customer.id : of.customerId);
const idOf = ({ id }: CustomerState): string => id;

const distinct = <T extends { readonly customerId: string; readonly featureKey: string }>(
  names: readonly T[],
): readonly T[] => [...new Map(names.map((name) => [`${name.customerId}\n${name.featureKey}`, name])).values()];

/** What readers of these meters need besides their counters. */
export function looksOfReaders(
  pairs: readonly { readonly customerId: string; readonly featureKey: string }[],
  customers: Customers,
  catalog: Catalog,
  nowMs: number,
): readonly Look[] {
  const all = [...customers.values()];
  const due = all.filter((customer) => isDue(customer, nowMs));
  const prepaid = all.filter((customer) => customer.prepaid);
  const catalogs = new Map(all.map(({ tenantId }) => [tenantId, catalog]));
  const isPrepaid = new Set(prepaid.map(idOf));
  const credits = [
    ...pairs.filter(({ customerId }) => isPrepaid.has(customerId)),
    ...due.flatMap((c) => everyMeter(c, catalogs)),
  ];
  return [
    ...(due.length > 0 ? [...lookAtDue(due.map(idOf), nowMs), lookAtOpenReservations(due.map(idOf))] : []),
    ...(credits.length > 0 ? lookAtCredits(distinct(credits), GRANTS_AT_FIRST) : []),
    ...(prepaid.length > 0 ? [lookAtWallets(prepaid.map(idOf))] : []),
  ];
}
