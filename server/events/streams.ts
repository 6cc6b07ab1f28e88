/** streams — what subscriptions are made of: usage with a snapshot first, alerts one by one, and the tenant's feed. */
import type { Clock } from '../domain/clock.ts';
import { decodeAlertCursor, decodeUsageCursor, encodeAlertCursor, isExpired, isUsageCursor } from '../domain/cursor.ts';
import { MeterError } from '../domain/errors.ts';
import type { CustomerMeters } from '../domain/meters.ts';
import { AlertBell } from './alert-bell.ts';
import type { Message } from './bus.ts';
import type { Committed } from './committed.ts';
import { endable, type Leaving } from './endable.ts';
import { LiveFeed } from './live-feed.ts';
import { Readings } from './readings.ts';
import { type AlertStreamItem, EXPIRED, type LiveUsage, type UsageStreamItem } from './stream-items.ts';
import type { Truth } from './truth.ts';
import { type MeterChange, UsageHub } from './usage-hub.ts';
import { UsageTeller } from './usage-teller.ts';

/** How many alerts are read at a time; a slow reader holds no more than these. */
const ALERT_PAGE = 100;

export type StreamsDeps = {
  readonly truth: Truth;
  readonly clock: Clock;
  /** How often a customer's meters are told in any second, at most. Default 10. */
  readonly toldPerSecondMax?: number;
  readonly onDrop: () => void;
  readonly onError: (error: unknown) => void;
};

export type UsageSelection = {
  readonly tenantId: string;
  readonly customerId: string;
  /** Null for all. */
  readonly featureKeys: readonly string[] | null;
  /** A cursor of this customer; null to begin with a snapshot. */
  readonly after: string | null;
};

export type AlertSelection = {
  readonly tenantId: string;
  /** Null for all the tenant's customers. */
  readonly customerId: string | null;
  /** A cursor of this stream or, for one customer, of its usage; null to begin now. */
  readonly after: string | null;
};

export class Streams {
  readonly #deps: StreamsDeps;
  readonly #hub: UsageHub;
  readonly #bell = new AlertBell();
  readonly #readings: Readings;
  /** By tenant, for as long as somebody listens. */
  readonly #feeds = new Map<string, LiveFeed>();
  #open = 0;
  #isPollDue = false;
  #polling: Promise<void> | null = null;
  #alertsHeard: ReadonlyMap<string, bigint> = new Map();

  constructor(deps: StreamsDeps) {
    this.#deps = deps;
    this.#hub = new UsageHub(deps);
    this.#readings = new Readings(deps.truth);
  }

  /** Streams being listened to now. */
  get openStreams(): number {
    return this.#open;
  }

  /** Customers whose changes somebody listens to now. */
  get customersWatched(): number {
    return this.#hub.customersWatched;
  }

  /** Tenants whose feed or alerts somebody listens to now. */
  get tenantsWatched(): number {
    return this.#hub.tenantsWatched + this.#bell.tenantIds.length;
  }

  /**
   * A customer's meters: a snapshot, or with `after` what was missed since, then every change. A reader that falls
   * behind gets the newest state of each meter.
   *
   * @throws {MeterError} `CUSTOMER_NOT_FOUND` (also for another tenant's), `INVALID_CURSOR`.
   */
  usageChanged(selection: UsageSelection): AsyncGenerator<UsageStreamItem, undefined> {
    return endable((left) => this.#usageChanged(selection, left));
  }

  /** Alerts, each once and in order; with `after` those missed since. Read from the store, so none is merged or lost. */
  alertRaised(selection: AlertSelection): AsyncGenerator<AlertStreamItem, undefined> {
    return endable((left) => this.#alertRaised(selection, left));
  }

  /** The newest usage of every meter that changed in the tenant, at most four times a second. */
  liveUsage({ tenantId }: { tenantId: string }): AsyncGenerator<LiveUsage, undefined> {
    return endable((left) => this.#liveUsage(tenantId, left));
  }

  /** The position of the tenant's newest alert, as a cursor: where a stream that begins now would begin. */
  async alertCursor(tenantId: string): Promise<string> {
    const sequence = (await this.#deps.truth.alertSequences([tenantId])).get(tenantId) ?? 0n;
    return encodeAlertCursor({ tenantId, sequence, atMs: this.#deps.clock.now() });
  }

  /** A batch of this gateway has been committed. */
  committed({ moved, alerts }: Committed): void {
    for (const customer of moved) this.#hub.moved(customer);
    for (const { tenantId, customerId } of alerts) this.#bell.ring(tenantId, customerId);
  }

  /** Another gateway, or another kind of change, has been heard of. */
  heard(message: Message): void {
    switch (message.kind) {
      case 'moved':
        for (const [tenantId, customerId, before, sequence, alerted] of message.customers) {
          this.#hub.hinted(tenantId, customerId, { before: BigInt(before), sequence: BigInt(sequence) });
          if (alerted) this.#bell.ring(tenantId, customerId);
        }
        return;
      case 'customer':
        this.#hub.hinted(message.tenantId, message.customerId, null);
        return;
      case 'catalog':
        this.#hub.catalogChanged(message.tenantId);
    }
  }

  /**
   * Looks for what no hint has told, and for periods that have ended. Polls never overlap, however slow the database: who
   * asks during one gets another after it, together with all who do.
   */
  poll(): Promise<void> {
    this.#isPollDue = true;
    this.#polling ??= this.#pollWhileDue();
    return this.#polling;
  }

  /** Ends every stream. */
  close(): void {
    this.#hub.close();
    this.#bell.close();
  }

  async #pollWhileDue(): Promise<void> {
    while (this.#isPollDue) {
      this.#isPollDue = false;
      try {
        await this.#hub.poll();
        await this.#pollAlerts();
      } catch (error) {
        this.#deps.onError(error);
      }
    }
    this.#polling = null;
  }

  async #pollAlerts(): Promise<void> {
    const tenantIds = this.#bell.tenantIds;
    if (tenantIds.length === 0) return;
    const sequences = await this.#deps.truth.alertSequences(tenantIds);
    const news = [...sequences].filter(([tenantId, sequence]) => this.#alertsHeard.get(tenantId) !== sequence);
    this.#alertsHeard = sequences;
    this.#bell.ringTenants(new Set(news.map(([tenantId]) => tenantId)));
  }

  async *#usageChanged(selection: UsageSelection, left: Leaving): AsyncGenerator<UsageStreamItem, undefined> {
    const { tenantId, customerId, after } = selection;
    const cursor = after === null ? null : decodeUsageCursor(after, customerId);
    const mailbox = this.#hub.watchCustomer(tenantId, customerId);
    left.onLeft = () => mailbox.close();
    this.#open += 1;
    try {
      const teller = await this.#openTeller(selection);
      yield* teller.open(cursor);
      for (let changes = await mailbox.take(); changes; changes = await mailbox.take()) {
        const usages = changes.flatMap((change) => (change.kind === 'usage' ? change.usage : []));
        if (isOfOtherCatalog(changes, teller.catalogVersion)) yield* teller.tellAll(await this.#read(selection));
        else yield* teller.tell(usages);
      }
    } finally {
      this.#open -= 1;
      this.#hub.leaveCustomer(customerId, mailbox);
    }
  }

  async *#alertRaised(selection: AlertSelection, left: Leaving): AsyncGenerator<AlertStreamItem, undefined> {
    const { tenantId, customerId } = selection;
    const listener = this.#bell.listen(tenantId, customerId);
    left.onLeft = () => listener.leave();
    this.#open += 1;
    try {
      const start = await this.#alertStart(selection);
      if (start.expired) yield start.expired;
      let position = start.position;
      while (!this.#bell.isClosed && !left.hasLeft) {
        const page = await this.#deps.truth.alertsAfter(position, ALERT_PAGE);
        for (const alert of page) {
          position = { ...position, sequence: alert.sequence };
          const atMs = this.#deps.clock.now();
          yield { kind: 'alert', alert, cursor: encodeAlertCursor({ tenantId, sequence: alert.sequence, atMs }) };
        }
        if (page.length < ALERT_PAGE) await listener.next();
      }
    } finally {
      this.#open -= 1;
      listener.leave();
    }
  }

  async *#liveUsage(tenantId: string, left: Leaving): AsyncGenerator<LiveUsage, undefined> {
    const feed = this.#feeds.get(tenantId) ?? new LiveFeed(this.#hub.watchTenant(tenantId), this.#deps);
    this.#feeds.set(tenantId, feed);
    const reader = feed.join();
    left.onLeft = () => reader.close();
    this.#open += 1;
    try {
      for (let item = await reader.take(); item; item = await reader.take()) yield item;
    } finally {
      this.#open -= 1;
      if (feed.leave(reader)) this.#endFeed(tenantId, feed);
    }
  }

  #endFeed(tenantId: string, feed: LiveFeed): void {
    this.#hub.leaveTenant(tenantId, feed.moved);
    if (this.#feeds.get(tenantId) === feed) this.#feeds.delete(tenantId);
  }

  /** Of its own, so that the reading does not live as long as the stream. */
  async #openTeller(selection: UsageSelection): Promise<UsageTeller> {
    return new UsageTeller(selection.featureKeys, await this.#read(selection));
  }

  async #read({ tenantId, customerId, featureKeys }: UsageSelection): Promise<CustomerMeters> {
    const read = await this.#readings.read(tenantId, { customerId, featureKeys });
    if (!read) throw unknownCustomer();
    this.#hub.snapshotRead(customerId, read);
    return read;
  }

  async #alertStart({ tenantId, customerId, after }: AlertSelection) {
    const { truth } = this.#deps;
    const newest = (await truth.alertSequences([tenantId])).get(tenantId) ?? 0n;
    const now = { tenantId, customerId, sequence: newest, eventSequence: 0n };
    if (after === null) return { position: now, expired: null };
    const isOfUsage = customerId !== null && isUsageCursor(after);
    const cursor = isOfUsage ? decodeUsageCursor(after, customerId) : decodeAlertCursor(after, tenantId);
    const last = isOfUsage ? ((await truth.customerSequences([customerId])).get(customerId) ?? 0n) : newest;
    const isUnknown = cursor.sequence > last; // a cursor of a database that was restored since
    if (isUnknown || isExpired(cursor, this.#deps.clock.now())) return { position: now, expired: EXPIRED };
    const position = isOfUsage
      ? { sequence: 0n, eventSequence: cursor.sequence }
      : { sequence: cursor.sequence, eventSequence: 0n };
    return { position: { tenantId, customerId, ...position }, expired: null };
  }
}

const isOfOtherCatalog = (changes: readonly MeterChange[], catalogVersion: number): boolean =>
  changes.some((change) => change.kind === 'catalog' || change.usage.catalogVersion !== catalogVersion);

const unknownCustomer = (): MeterError =>
  new MeterError('CUSTOMER_NOT_FOUND', 'There is no such customer; register it first with registerCustomer.', {
    path: ['referenceId'],
  });
