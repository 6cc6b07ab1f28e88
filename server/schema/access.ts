/** access — who may ask for what. Each of these is the first line of a resolver. */
import type { Context } from '../context.ts';
import { customerIdOf } from '../domain/customer.ts';
import { customerNotFound, invalidInput, MeterError } from '../domain/errors.ts';
import {
  type ApiKeyScope,
  type ApiKeyViewer,
  type CustomerViewer,
  mayAdmin,
  mayIngest,
  mayRead,
  type Viewer,
} from '../domain/viewer.ts';
import * as bounds from './bounds.ts';

/** Any credential. @throws {MeterError} `UNAUTHENTICATED` */
export function anyone({ viewer }: Context): Viewer {
  if (viewer) return viewer;
  throw new MeterError(
    'UNAUTHENTICATED',
    'This call needs a credential: send the header "Authorization: Bearer <API key or customer token>".',
  );
}

/** An API key that may read, or a customer about its own. @throws {MeterError} `UNAUTHENTICATED`, `FORBIDDEN` */
export function reader(context: Context): Viewer {
  const viewer = anyone(context);
  if (mayRead(viewer)) return viewer;
  throw forbidden(viewer, ['read']);
}

/** An API key that may read all of its tenant. @throws {MeterError} `UNAUTHENTICATED`, `FORBIDDEN` */
export function tenantReader(context: Context): ApiKeyViewer {
  const viewer = anyone(context);
  if (viewer.kind === 'api-key' && mayRead(viewer)) return viewer;
  throw forbidden(viewer, ['read']);
}

/** An API key that may write use. @throws {MeterError} `UNAUTHENTICATED`, `FORBIDDEN` */
export function ingester(context: Context): ApiKeyViewer {
  const viewer = anyone(context);
  if (viewer.kind === 'api-key' && mayIngest(viewer)) return viewer;
  throw forbidden(viewer, ['ingest']);
}

/** Whoever may read, or write use. @throws {MeterError} `UNAUTHENTICATED`, `FORBIDDEN` */
export function readerOrIngester(context: Context): Viewer {
  const viewer = anyone(context);
  if (mayRead(viewer) || mayIngest(viewer)) return viewer;
  throw forbidden(viewer, ['read', 'ingest']);
}

/** An API key that may configure. @throws {MeterError} `UNAUTHENTICATED`, `FORBIDDEN` */
export function admin(context: Context): ApiKeyViewer {
  const viewer = anyone(context);
  if (viewer.kind === 'api-key' && mayAdmin(viewer)) return viewer;
  throw forbidden(viewer, ['admin']);
}

function forbidden(viewer: Viewer, needed: readonly ApiKeyScope[]): MeterError {
  const scopes = [...new Set<ApiKeyScope>([...needed, 'admin'])].map((scope) => `"${scope}"`).join(' or ');
  const found =
    viewer.kind === 'customer'
      ? 'a customer token reads its own customer and nothing else'
      : `this key has ${[...viewer.scopes].map((scope) => `"${scope}"`).join(' and ')}`;
  return new MeterError('FORBIDDEN', `This call needs an API key with scope ${scopes}; ${found}.`);
}

export type Reference = { readonly referenceId: string; readonly customerId: string };

/**
 * The customer that a call is about; a token's own where none is named.
 *
 * @throws {MeterError} `CUSTOMER_NOT_FOUND` when a customer asks for another, exactly as for one who does not exist.
 */
export function referenceOf(
  viewer: Viewer,
  referenceId: string | null | undefined,
  path: bounds.Path = ['referenceId'],
): Reference {
  if (viewer.kind === 'customer') return ownReference(viewer, referenceId, path);
  if (referenceId !== null && referenceId !== undefined) return referenceIn(viewer, referenceId, path);
  throw invalidInput(
    path,
    'With an API key the call must say whose: pass `referenceId`. Only a customer token may leave it out.',
  );
}

/** A customer of the key's tenant, whether it exists or not. */
export function referenceIn({ tenantId }: ApiKeyViewer, referenceId: string, path: bounds.Path): Reference {
  bounds.referenceId(referenceId, path);
  return { referenceId, customerId: customerIdOf(tenantId, referenceId) };
}

/**
 * The customer of the key's tenant that a change is about, where the app lets the key act for it. What the engine decides
 * is authorized there.
 *
 * @throws {MeterError} `INVALID_INPUT`, `FORBIDDEN`
 */
export async function actingFor(
  { services }: Context,
  viewer: ApiKeyViewer,
  referenceId: string,
  path: bounds.Path = ['input', 'referenceId'],
): Promise<Reference> {
  const reference = referenceIn(viewer, referenceId, path);
  const refusal = await services.authorize?.(viewer, referenceId);
  if (refusal) throw new MeterError('FORBIDDEN', refusal.message);
  return reference;
}

function ownReference(viewer: CustomerViewer, referenceId: string | null | undefined, path: bounds.Path) {
  if (referenceId === null || referenceId === undefined || referenceId === viewer.referenceId) {
    return { referenceId: viewer.referenceId, customerId: viewer.customerId };
  }
  throw customerNotFound(referenceId, path);
}

/** The features that a viewer may see: null for all. */
export const visibleFeatures = (viewer: Viewer): readonly string[] | null =>
  viewer.kind === 'customer' ? viewer.featureKeys : null;

export const maySee = (viewer: Viewer, featureKey: string): boolean =>
  visibleFeatures(viewer)?.includes(featureKey) ?? true;
