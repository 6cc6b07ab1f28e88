/** hand-realtime — a `MetergraphRealtime` moved by hand: what a gateway would say is what the test says. */
import type {
  Alert,
  AlertHandlers,
  LiveStatus,
  MetergraphError,
  MetergraphRealtime,
  Usage,
  UsageHandlers,
} from '@metergraph/client-sdk';
import { alert, usage } from '../../playground/fixtures.ts';
import type { MeterAlert, MeterUsage } from '../types.ts';

export class HandRealtime implements MetergraphRealtime {
  readonly usageHandlers = new Set<UsageHandlers>();
  readonly alertHandlers = new Set<AlertHandlers>();
  /** Every subscription ever made. */
  subscribed = 0;
  /** Resume points that alerts were asked for from. */
  readonly alertsAfter: (string | undefined)[] = [];
  isClosed = false;

  get open(): number {
    return this.usageHandlers.size + this.alertHandlers.size;
  }

  onUsage: MetergraphRealtime['onUsage'] = (_filter, handlers) => {
    this.subscribed += 1;
    this.usageHandlers.add(handlers);
    handlers.onStatus?.('connecting');
    return () => this.usageHandlers.delete(handlers);
  };

  onAlert: MetergraphRealtime['onAlert'] = ({ after }, handlers) => {
    this.subscribed += 1;
    this.alertsAfter.push(after);
    this.alertHandlers.add(handlers);
    return () => this.alertHandlers.delete(handlers);
  };

  onLiveUsage: MetergraphRealtime['onLiveUsage'] = () => {
    throw new Error('a meter never watches the whole tenant');
  };

  close(): void {
    this.isClosed = true;
  }

  status(status: LiveStatus): void {
    for (const handlers of [...this.usageHandlers]) handlers.onStatus?.(status);
  }

  /** The state with these usages, as after a snapshot or a change. */
  usages(...changes: Partial<MeterUsage>[]): void {
    const usages = new Map(changes.map((change) => fullUsage(change)).map((full) => [full.feature.key, full]));
    for (const handlers of [...this.usageHandlers]) handlers.onChange({ usages, cursor: 'c' });
  }

  alert(id: string, value: string, changes: Partial<MeterAlert> = {}): void {
    for (const handlers of [...this.alertHandlers]) handlers.onAlert(fullAlert(id, value, changes));
  }

  fail(error: MetergraphError): void {
    for (const handlers of [...this.usageHandlers]) handlers.onError?.(error);
  }
}

function fullUsage(changes: Partial<MeterUsage>): Usage {
  const { entitled = true, price, thresholds, ...meter } = usage(changes);
  const rest = {
    referenceId: 'acme',
    planKey: 'free',
    reserved: '0',
    remaining: null,
    value: null,
    wallet: null,
    overage: '0',
    cursor: 'c',
  };
  return {
    ...meter,
    entitled,
    thresholds: thresholds.map((threshold) => ({ falling: false, ...threshold })),
    price: price ? { model: 'PER_UNIT', ...price, packageSize: price.packageSize ?? null } : null,
    ...rest,
  };
}

function fullAlert(id: string, value: string, changes: Partial<MeterAlert>): Alert {
  const { threshold, ...rest } = alert(id, value, changes);
  const whole = { falling: false, ...threshold };
  return { ...rest, threshold: whole, referenceId: 'acme', acknowledgedAt: null, cursor: `after ${id}` };
}
