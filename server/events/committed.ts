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
  /** The state after the batch, of the meters that its requests were about. */
  readonly usages: readonly Usage[];
  /** Whether no other meter changed; if one may have, who watches reads them all. */
  readonly isWhole: boolean;
  /** When something of the customer changes by itself; null for nothing known. */
  readonly dueAtMs: number | null;
};
