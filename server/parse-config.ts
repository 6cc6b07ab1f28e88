/** parse-config — what a config file says, or every problem it has, at once. */
import type { z } from 'zod';
import { billingRulesOf } from './config-billing.ts';
import { isGroup } from './config-parts.ts';
import { ConfigError, type ConfigProblem, danglingName } from './config-problems.ts';
import { featureSchema, fileSchema, planSchema } from './config-schema.ts';
import { type BillingRules, problemsOfBilling } from './domain/billing-rules.ts';
import { problemsOfFeature, problemsOfPlan } from './domain/definition-bounds.ts';
import type { CatalogDefinition, FeatureDefinition, PlanDefinition } from './domain/definitions.ts';
import { noticesOfCatalog, problemsOfCatalog } from './domain/policy-bounds.ts';
import type { Problem } from './domain/problem.ts';
import { type Hooks, NO_HOOKS } from './hooks.ts';

export type ParsedConfig = {
  readonly definition: CatalogDefinition;
  readonly hooks: Hooks;
  /** What is sold beside plans, and what holds for payments. */
  readonly billing: BillingRules;
  /** Sentences on what is allowed but may surprise, to be told once. */
  readonly notices: readonly string[];
};

/**
 * @param source What the message calls the config: its path.
 * @throws {ConfigError} for a shape, a name or a number that is wrong, or for fields that don't go together.
 */
export function parseConfig(raw: unknown, source: string): ParsedConfig {
  const input = withoutUndefined(raw);
  const problems: ConfigProblem[] = [];
  const read = <T>(schema: z.ZodType<T>, value: unknown, path: readonly string[]): T | null => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    problems.push(...parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, path)));
    return null;
  };
  const refuse = (found: readonly Problem[], path: readonly string[]) => {
    for (const { path: inner, sentence } of found) {
      // The key is no field here: it is where the definition stands.
      problems.push({ path: spellPath(asWritten(inner[0] === 'key' ? path : [...path, ...inner], input)), sentence });
    }
  };

  const file = read(fileSchema, input, []);
  const features = Object.entries(groupAt(input, 'features')).flatMap(([key, value]): FeatureDefinition[] => {
    const path = ['features', key];
    const fields = read(featureSchema, value, path);
    if (!fields) return [];
    const definition = { key, ...fields };
    refuse(problemsOfFeature(definition), path);
    return [definition];
  });
  const plans = Object.entries(groupAt(input, 'plans')).flatMap(([key, value]): PlanDefinition[] => {
    const path = ['plans', key];
    const fields = read(planSchema, value, path);
    if (!fields) return [];
    const { price, features, ...rest } = fields;
    const definition = { key, ...rest, ...(price && { prices: price }), features };
    refuse(problemsOfPlan(definition), path);
    return [definition];
  });
  problems.push(...danglingNames(input));
  if (problems.length === 0) refuse(problemsOfCatalog(features, plans), []); // others would be told as their consequence
  const billing = billingRulesOf(file ?? {});
  refuse(problemsOfBilling(billing), []);
  if (problems.length > 0) throw new ConfigError(source, problems);
  const { hooks, authorizeReference = null } = file ?? {};
  return {
    definition: { features, plans, defaultPlanKey: defaultPlanOf(input) },
    hooks: { ...NO_HOOKS, ...hooks, authorizeReference },
    billing,
    notices: noticesOfCatalog(features, plans),
  };
}

/** Names of features and plans that nothing defines, found even where the rest has other problems. */
function danglingNames(input: unknown): readonly ConfigProblem[] {
  const featureKeys = Object.keys(groupAt(input, 'features'));
  const plans = groupAt(input, 'plans');
  const ofPlans = Object.entries(plans).flatMap(([planKey, plan]) =>
    Object.keys(groupAt(plan, 'features'))
      .filter((key) => !featureKeys.includes(key))
      .map((key) => ({
        path: spellPath(['plans', planKey, 'features', key]),
        sentence: danglingName(key, 'feature', featureKeys),
      })),
  );
  const ofPacks = Object.entries(groupAt(input, 'creditPacks')).flatMap(([packKey, pack]) => {
    const key = isGroup(pack) ? pack.feature : undefined;
    if (typeof key !== 'string' || featureKeys.includes(key)) return [];
    const sentence = `is "${key}" and ${danglingName(key, 'feature', featureKeys)}`;
    return [{ path: spellPath(['creditPacks', packKey, 'feature']), sentence }];
  });
  const named = [...ofPlans, ...ofPacks];
  const defaultPlan = defaultPlanOf(input);
  if (defaultPlan === null || Object.hasOwn(plans, defaultPlan)) return named;
  const sentence = `is "${defaultPlan}" and ${danglingName(defaultPlan, 'plan', Object.keys(plans))}`;
  return [...named, { path: 'defaultPlan', sentence }];
}

/** Fields that others don't know come as one issue with a line for each. */
function problemsOfIssue(issue: z.core.$ZodIssue, path: readonly string[]): readonly ConfigProblem[] {
  const inner = [...path, ...issue.path.map(String)];
  if (issue.code !== 'unrecognized_keys') return [{ path: spellPath(inner), sentence: issue.message }];
  const lines = issue.message.split('\n');
  return issue.keys.map((key, i) => ({ path: spellPath([...inner, key]), sentence: lines[i] ?? '' }));
}

/** A path of the domain in the words of this file, where it may say one thing in two ways. */
function asWritten(path: readonly string[], input: unknown): readonly string[] {
  const written: string[] = [];
  let place: unknown = input;
  for (let i = 0; i < path.length; i += 1) {
    let step = path[i] ?? '';
    if (step === 'rateLimits' && isGroup(place) && !('rateLimits' in place) && path[i + 1] === '0') {
      step = 'rateLimit';
      i += 1; // one rule, not in a list
    }
    if (step === 'maxFraction') step = 'max';
    written.push(step);
    place = Array.isArray(place) ? place[Number(step)] : isGroup(place) ? place[step] : undefined;
  }
  return written;
}

const spellPath = (path: readonly string[]): string => path.join('.');

function defaultPlanOf(input: unknown): string | null {
  const value = isGroup(input) ? input.defaultPlan : undefined;
  return typeof value === 'string' ? value : null;
}

function groupAt(input: unknown, key: string): Readonly<Record<string, unknown>> {
  const value = isGroup(input) ? input[key] : undefined;
  return isGroup(value) ? value : {};
}

/** `limit: undefined` says the same as no limit field. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (!isGroup(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, withoutUndefined(inner)]])),
  );
}
