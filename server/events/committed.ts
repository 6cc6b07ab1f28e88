/** committed — what a batch of this gateway has changed, with the new state: no reading needed to tell it. */
import type { Alert } from '../domain/alert.ts';
import type { Usage } from '../domain/usage.ts';

export type Committed = {
  readonly moved: readonly CustomerMoved[];
  readonly alerts: readonly Alert[];
};

/** How a batch moved one customer. */
export type CustomerMoved = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly sequenceBefore: bigint;
  readonly sequence: bigint;
  /** The state after the batch, of the meters it changed. */
  readonly usages: readonly Usage[];
};
