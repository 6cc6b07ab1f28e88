/**
 * edits — what `saveFeature` and `savePlan` say: a field left out keeps what is stored, a null one goes back to its
 * default. A config file says everything instead, and is no edit.
 */
import type { FeatureDefinition, PlanDefinition } from './definitions.ts';
import type { Feature, LimitFields } from './feature.ts';
import type { Plan } from './plan.ts';

type Nullable<T> = { readonly [Field in keyof T]: T[Field] | null };

export type LimitEdit = Nullable<LimitFields>;
export type FeatureEdit = { readonly key: string } & Nullable<Omit<FeatureDefinition, 'key'>>;
/** `features` is the whole map: a feature that is not in it is no longer in the plan. */
export type PlanEdit = Pick<PlanDefinition, 'key' | 'features'> & Nullable<Omit<PlanDefinition, 'key' | 'features'>>;

/** The limit fields after an edit. A null one is not set any more, except those of which null says something. */
export const editedLimits = (stored: LimitFields, edit: LimitEdit): LimitFields => settled({ ...stored, ...edit });

/**
 * All there is to say about a feature after an edit.
 *
 * @param stored The feature under this key, archived or not; null when there is none yet.
 */
export function editedFeature(stored: Feature | null, edit: FeatureEdit): FeatureDefinition {
  const { key, ...fields } = { ...(stored && definitionOf(stored)), ...edit };
  return { key, ...settled(fields) };
}

/**
 * All there is to say about a plan after an edit.
 *
 * @param stored The plan under this key, archived or not; null when there is none yet.
 */
export function editedPlan(stored: Plan | null, edit: PlanEdit): PlanDefinition {
  const said: PlanEdit = { ...stored, ...edit };
  const { key, features, displayName, prices, rateLimits, spendLimit, wallet, existingCustomers } = said;
  return { key, features, ...withoutNulls({ displayName, prices, rateLimits, spendLimit, wallet, existingCustomers }) };
}

const definitionOf = ({ tenantId, archivedAtMs, ...definition }: Feature): FeatureDefinition => definition;

/** Of these null says something: no limit, or none of the credits that were set before. */
type Settable = Pick<LimitEdit, 'limit' | 'credits' | 'spendLimit' | 'entityLimit'>;

function settled<T extends Settable>({ limit, credits, spendLimit, entityLimit, ...others }: T) {
  return {
    ...(limit !== undefined && { limit }),
    ...(credits !== undefined && { credits }),
    ...(spendLimit !== undefined && { spendLimit }),
    ...(entityLimit !== undefined && { entityLimit }),
    ...withoutNulls(others),
  };
}

type WithoutNulls<T> = { readonly [Field in keyof T]?: NonNullable<T[Field]> };

const withoutNulls = <T extends object>(fields: T): WithoutNulls<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)) as never; // fromEntries forgets which key has which value
