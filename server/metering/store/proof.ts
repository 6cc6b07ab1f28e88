/** proof — shows, by the statement that writes, that what a batch was decided by without reading it is still so. */
import type { Parameter, Statement } from '../../db/client.ts';
import type { CustomerState } from '../state.ts';

/** What is to be shown; of customers who are written, the write does. */
export type Proof = {
  readonly customers: readonly CustomerState[];
  readonly catalogs: readonly { readonly tenantId: string; readonly version: number }[];
};

export const isEmpty = ({ customers, catalogs }: Proof): boolean => customers.length === 0 && catalogs.length === 0;

/** Holds where rows and catalogs are the ones that were remembered: in four parameters, as `proofParams` gives them. */
export const proofText = (param: (i: number) => string): string => {
  const [ids, revisions, tenantIds, versions] = [0, 1, 2, 3].map((i) => `${param(i)}::text[]`);
  return `cardinality(${ids}) = (
      SELECT count(*) FROM unnest(${ids}, ${revisions}) AS v (id, revision)
      CROSS JOIN LATERAL (SELECT FROM customers WHERE id = v.id::uuid AND revision = v.revision::bigint LIMIT 1) c
    ) AND cardinality(${tenantIds}) = (
      SELECT count(*) FROM unnest(${tenantIds}, ${versions}) AS v (id, version)
      CROSS JOIN LATERAL (SELECT FROM tenants WHERE id = v.id::uuid AND catalog_version = v.version::bigint LIMIT 1) t
    )`;
};

export const proofParams = ({ customers, catalogs }: Proof): readonly Parameter[] => [
  customers.map(({ id }) => id),
  customers.map(({ revision }) => revision.toString()),
  catalogs.map(({ tenantId }) => tenantId),
  catalogs.map(({ version }) => String(version)),
];

const PROOF = `SELECT 1 / (${proofText((i) => `$${i + 1}`)})::integer AS proven`;

/** For a batch that writes nothing. The division fails it, as it does in the statement that writes. */
export const proofStatement = (proof: Proof): Statement => ({ text: PROOF, params: proofParams(proof) });
