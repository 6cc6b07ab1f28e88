/** truth — what streams read when hints are not enough. The gateway joins it to the database. */
import type { Alert, AlertPosition } from '../domain/alert.ts';
import type { CustomerMeters, MeterSelection } from '../domain/meters.ts';

export interface Truth {
  /** Meters by customer id; a customer who is not the tenant's, or not there, is missing. */
  meters(tenantId: string, selections: readonly MeterSelection[]): Promise<ReadonlyMap<string, CustomerMeters>>;
  /** At most `limit` stored alerts after a position, in order. */
  alertsAfter(position: AlertPosition, limit: number): Promise<readonly Alert[]>;
  /** How many alerts each tenant has had: the position of the newest. */
  alertSequences(tenantIds: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
  /** The version of each tenant's features and plans. */
  catalogVersions(tenantIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Where each customer's sequence stands. */
  customerSequences(customerIds: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
}
