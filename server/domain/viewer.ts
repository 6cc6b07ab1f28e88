/** viewer — who is asking, once authenticated: a server by API key, or a customer's browser by token. */

export const API_KEY_SCOPES = ['ingest', 'read', 'admin'] as const;
/** `ingest` writes use, `read` reads, `admin` does both and everything else. */
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

export type ApiKeyViewer = {
  readonly kind: 'api-key';
  readonly tenantId: string;
  readonly keyId: string;
  /** As its makers named it. */
  readonly name: string | null;
  readonly scopes: ReadonlySet<ApiKeyScope>;
  readonly expiresAtMs: number | null;
};

/** Sees its own customer, read-only, and nothing else. */
export type CustomerViewer = {
  readonly kind: 'customer';
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  /** The features it may see; null for all. */
  readonly featureKeys: readonly string[] | null;
  readonly expiresAtMs: number;
};

export type Viewer = ApiKeyViewer | CustomerViewer;

export const mayIngest = (viewer: Viewer): boolean => hasScope(viewer, 'ingest');
export const mayAdmin = (viewer: Viewer): boolean => hasScope(viewer, 'admin');
/** A customer may read, too: what is theirs. */
export const mayRead = (viewer: Viewer): boolean => viewer.kind === 'customer' || hasScope(viewer, 'read');

const hasScope = (viewer: Viewer, scope: ApiKeyScope): boolean =>
  viewer.kind === 'api-key' && (viewer.scopes.has(scope) || viewer.scopes.has('admin'));
