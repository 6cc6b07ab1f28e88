/** existing — the customers and features that arguments name, checked to be there and the viewer's to see. */
import type { Context } from '../context.ts';
import { customerNotFound, featureNotFound, type MeterError } from '../domain/errors.ts';
import { liveFeature, liveKeys } from '../domain/plan.ts';
import { maySee, type Reference, reader, referenceOf } from './access.ts';
import * as bounds from './bounds.ts';
import { catalogOf, customers } from './loaders.ts';

const KEYS_MAX = 1_000;

/**
 * The customer whom an argument narrows a list or stream to: null for all the tenant's. A customer token has its own.
 *
 * @throws {MeterError} `CUSTOMER_NOT_FOUND`, `INVALID_INPUT`
 */
export async function oneOrAll(context: Context, referenceId: string | null | undefined): Promise<Reference | null> {
  const viewer = reader(context);
  if (viewer.kind === 'api-key' && (referenceId === null || referenceId === undefined)) return null;
  const reference = referenceOf(viewer, referenceId);
  if (viewer.kind === 'customer' || (await customers(context).load(reference.customerId))) return reference;
  throw customerNotFound(reference.referenceId, ['referenceId']);
}

/**
 * The features that an argument names: null for all.
 *
 * @throws {MeterError} `FEATURE_NOT_FOUND`, `INVALID_INPUT`
 */
export async function knownFeatures(
  context: Context,
  keys: readonly string[] | null | undefined,
  path: bounds.Path,
): Promise<readonly string[] | null> {
  if (!keys) return null;
  bounds.atMost(keys, path, KEYS_MAX);
  for (const [i, key] of keys.entries()) await knownFeature(context, key, [...path, `${i}`]);
  return keys;
}

/** A feature that is in use. @throws {MeterError} `FEATURE_NOT_FOUND` */
export async function knownFeature(context: Context, key: string, path: bounds.Path): Promise<void> {
  const catalog = await catalogOf(context);
  if (liveFeature(catalog, key) && maySee(reader(context), key)) return;
  throw await unknownFeature(context, key, path);
}

/** A feature that is or was in use, for its history: null for all. @throws {MeterError} `FEATURE_NOT_FOUND` */
export async function onceKnownFeature(context: Context, key: string | null | undefined): Promise<string | null> {
  if (key === null || key === undefined) return null;
  const { features } = await catalogOf(context);
  if (features.has(key) && maySee(reader(context), key)) return key;
  throw await unknownFeature(context, key, ['featureKey']);
}

/** What a viewer hears of a feature that is not there, or not its to see: the same. */
export async function unknownFeature(context: Context, key: string, path: bounds.Path): Promise<MeterError> {
  const { features } = await catalogOf(context);
  const visible = liveKeys(features).filter((known) => maySee(reader(context), known));
  return featureNotFound(key, visible, path);
}
