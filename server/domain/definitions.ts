/**
 * definitions — all there is to say about a feature or plan, completed with defaults.
 *
 * A config file is made of definitions: a field left out has its default, whatever was stored before. `saveFeature` and
 * `savePlan` keep what they leave out; see `edits.ts`, which makes a definition of what is stored and what is said.
 */
import type { Aggregation, Feature, LimitFields } from './feature.ts';
import type { Money } from './money.ts';
import type { Anchor, Reset } from './period.ts';
import type { Plan, PlanPrice } from './plan.ts';
import type { RateLimit } from './rate-limit.ts';
import { formatUnits } from './units.ts';
import type { WalletRule } from './wallet.ts';

export type FeatureDefinition = LimitFields & {
  /** Also the event name. Unique in the tenant. */
  readonly key: string;
  /** Made from the key when left out: `api_calls` is "Api calls". */
  readonly displayName?: string;
  /** Singular, as people say it: `call`, `GB`. A duration's is one of `DURATION_UNITS`. */
  readonly unit?: string | null;
  /** `sum` when left out. */
  readonly aggregation?: Aggregation;
  /** The property whose distinct values `unique` counts; no other aggregation has it. */
  readonly of?: string | null;
  /** `monthly` when left out. */
  readonly reset?: Reset;
  /** `calendar` when left out. */
  readonly anchor?: Anchor;
  /** Properties by whose values the usage series can be grouped; none when left out. */
  readonly dimensions?: readonly string[];
  /** Free lines for a price page or tooltip. */
  readonly details?: readonly string[];
};

export const EXISTING_CUSTOMERS = ['stay', 'move'] as const;
/** Whether customers who have the plan stay on the version they have, or move to the one that is defined now. */
export type ExistingCustomers = (typeof EXISTING_CUSTOMERS)[number];

export type PlanDefinition = {
  readonly key: string;
  /** Made from the key when left out. */
  readonly displayName?: string;
  /** Base prices, in minor units; none when left out. */
  readonly prices?: readonly PlanPrice[];
  /** Of all features together, each of which must pass; none when left out. */
  readonly rateLimits?: readonly RateLimit[];
  /** The most that a customer may spend in a calendar month; no limit when left out. */
  readonly spendLimit?: Money | null;
  /** How wallets behave; floor 0 and no top-up when left out. */
  readonly wallet?: WalletRule | null;
  /** Said of this change and not stored; `stay` when left out. */
  readonly existingCustomers?: ExistingCustomers;
  /** The features this plan entitles to, with what it sets for each. */
  readonly features: ReadonlyMap<string, LimitFields>;
};

/** All that a config file says. */
export type CatalogDefinition = {
  readonly features: readonly FeatureDefinition[];
  readonly plans: readonly PlanDefinition[];
  /** Given to a customer who is registered without a plan. */
  readonly defaultPlanKey: string | null;
};

/** The whole feature that a definition describes; defining an archived one brings it back. */
export function featureOf(tenantId: string, definition: FeatureDefinition): Feature {
  return {
    ...definition,
    tenantId,
    displayName: definition.displayName ?? displayNameOf(definition.key),
    unit: definition.unit ?? null,
    aggregation: definition.aggregation ?? 'sum',
    of: definition.of ?? null,
    reset: definition.reset ?? 'monthly',
    anchor: definition.anchor ?? 'calendar',
    dimensions: definition.dimensions ?? [],
    details: definition.details ?? [],
    archivedAtMs: null,
  };
}

/**
 * The whole plan that a definition describes; its version counts on from the stored one if anything differs.
 *
 * @param stored The plan under this key, archived or not; null when there is none yet.
 */
export function planOf(tenantId: string, definition: PlanDefinition, stored: Plan | null): Plan {
  const plan: Plan = {
    tenantId,
    key: definition.key,
    displayName: definition.displayName ?? displayNameOf(definition.key),
    version: stored?.version ?? 1,
    prices: definition.prices ?? [],
    rateLimits: definition.rateLimits ?? [],
    spendLimit: definition.spendLimit ?? null,
    wallet: definition.wallet ?? null,
    features: definition.features,
    archivedAtMs: null,
  };
  return stored === null || isSame(stored, plan) ? plan : { ...plan, version: stored.version + 1 };
}

/** `api_calls`, `apiCalls` and `api-calls` are all shown as "Api calls". */
export function displayNameOf(key: string): string {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replace(/[_.:-]+/g, ' ')
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether two features, or two plans, say the same; the order in which they say it does not count. */
export const isSame = <T extends Feature | Plan>(a: T, b: T): boolean => spell(a) === spell(b);

/** One text per value: fields and entries in the order of their names. */
function spell(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return formatUnits(part);
    if (part instanceof Map) return sorted(part.entries());
    if (part !== null && typeof part === 'object' && !Array.isArray(part)) return sorted(Object.entries(part));
    return part;
  });
}

const sorted = (entries: Iterable<[string, unknown]>): Record<string, unknown> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
