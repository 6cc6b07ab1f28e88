/**
 * usage-hub — hands every change of a customer's meters to those who watch them, without a gap.
 *
 * A committed batch brings the new state along, and it is passed on as it is if it continues what was heard before:
 * sequences are gapless, so a missing one shows. Otherwise another gateway has written in between, and the hub reads
 * the truth from the database. A slow poll does the same when no hint arrives, or when time alone has changed something:
 * a period has ended, a hold or a grant has expired, a plan is another now. Only of a change to the catalog the hub says
 * no more than that: each subscriber asks for a reading of its meters (see readings).
 */
import type { Clock } from '../domain/clock.ts';
import type { CustomerMeters } from '../domain/meters.ts';
import type { Usage } from '../domain/usage.ts';
import type { CustomerMoved } from './committed.ts';
import { Mailbox } from './mailbox.ts';
import { Pace } from './pace.ts';
import type { Truth } from './truth.ts';

/** A customer's meters are as many as the tenant has features; the bound only guards against the absurd. */
const METERS_MAX = 10_000;
/** A customer's meters are for eyes: in any second they are told at most so many times. */
const TOLD_PER_SECOND_MAX = 10;
/** What a tenant-wide watcher may be behind by. */
const LIVE_METERS_MAX = 1_000;

/** What a subscriber of one customer is told. */
export type MeterChange =
  | { readonly kind: 'usage'; readonly usage: Usage }
  /** Features or plans are others now, so any meter may be: read them all. */
  | { readonly kind: 'catalog' };

type Topic = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly mailboxes: Set<Mailbox<MeterChange>>;
  /** All changes up to this sequence have been passed on; null until the first reading. */
  heard: bigint | null;
  /** Every subscriber knows of this version; null when the next reading shows which it is. */
  catalogVersion: number | null;
  /** When time alone changes a meter: the first end of a period, or whatever else is due of the customer. */
  dueAtMs: number | null;
  readonly pace: Pace;
  /** By feature, what is told when the pace allows; all of it together, so that no cursor runs ahead of a meter. */
  readonly untold: Map<string, Usage>;
  telling: NodeJS.Timeout | null;
};

export type UsageHubDeps = {
  readonly truth: Pick<Truth, 'meters' | 'customerSequences' | 'catalogVersions'>;
  readonly clock: Clock;
  /** How often a customer's meters are told in any second, at most. Default 10. */
  readonly toldPerSecondMax?: number;
  /** Told of each value a slow reader never sees. */
  readonly onDrop: () => void;
  /** Told when the truth could not be read; the poll tries again. */
  readonly onError: (error: unknown) => void;
};

export class UsageHub {
  readonly #deps: UsageHubDeps;
  readonly #topics = new Map<string, Topic>();
  readonly #tenants = new Map<string, Set<Mailbox<Usage>>>();
  /** What is to be read again, and the sequence since which who watches the tenant has not heard of it. */
  readonly #stale = new Map<Topic, bigint>();
  #isReloading = false;
  #closed = false;

  constructor(deps: UsageHubDeps) {
    this.#deps = deps;
  }

  get customersWatched(): number {
    return this.#topics.size;
  }

  get tenantsWatched(): number {
    return this.#tenants.size;
  }

  /** Joins before anything is read, so that nothing falls between the snapshot and the first change. */
  watchCustomer(tenantId: string, customerId: string): Mailbox<MeterChange> {
    const mailbox = this.#newMailbox<MeterChange>(METERS_MAX);
    const topic = this.#topics.get(customerId) ?? this.#newTopic(tenantId, customerId);
    this.#topics.set(customerId, topic);
    topic.mailboxes.add(mailbox);
    return mailbox;
  }

  leaveCustomer(customerId: string, mailbox: Mailbox<MeterChange>): void {
    mailbox.close();
    const topic = this.#topics.get(customerId);
    topic?.mailboxes.delete(mailbox);
    if (topic?.mailboxes.size !== 0) return;
    if (topic.telling) clearTimeout(topic.telling);
    this.#topics.delete(customerId);
  }

  watchTenant(tenantId: string): Mailbox<Usage> {
    const mailbox = this.#newMailbox<Usage>(LIVE_METERS_MAX);
    const mailboxes = this.#tenants.get(tenantId) ?? new Set();
    this.#tenants.set(tenantId, mailboxes.add(mailbox));
    return mailbox;
  }

  leaveTenant(tenantId: string, mailbox: Mailbox<Usage>): void {
    mailbox.close();
    const mailboxes = this.#tenants.get(tenantId);
    mailboxes?.delete(mailbox);
    if (mailboxes?.size === 0) this.#tenants.delete(tenantId);
  }

  /**
   * A subscriber has read its meters: from here on, changes that continue the reading need no other. What earlier
   * subscribers have not heard yet stays to be told, and each of them may wait for the end of another period.
   */
  snapshotRead(customerId: string, meters: CustomerMeters): void {
    const topic = this.#topics.get(customerId);
    if (!topic) return;
    topic.heard ??= meters.sequence;
    topic.catalogVersion ??= meters.catalogVersion;
    topic.dueAtMs = earlier(topic.dueAtMs, firstDue(meters));
  }

  /** A batch of this gateway has been committed. */
  moved({ tenantId, customerId, sequenceBefore, sequence, usages, isWhole, dueAtMs }: CustomerMoved): void {
    for (const usage of usages) this.#tellTenant(tenantId, usage);
    const topic = this.#topics.get(customerId);
    if (!topic) {
      if (!isWhole && this.#tenants.has(tenantId)) this.#reload(this.#newTopic(tenantId, customerId), sequenceBefore);
      return;
    }
    if (topic.heard !== null && sequence <= topic.heard) return;
    if (topic.heard === sequenceBefore && isWhole) {
      topic.heard = sequence;
      topic.dueAtMs = earlier(topic.dueAtMs, dueAtMs);
      this.#tell(topic, usages);
    } else this.#reload(topic, topic.heard ?? sequence);
  }

  /**
   * Another gateway has moved the customer.
   *
   * @param move Null for another kind of change, which may be one of every meter.
   */
  hinted(tenantId: string, customerId: string, move: { before: bigint; sequence: bigint } | null): void {
    const topic = this.#topics.get(customerId);
    const isNews = topic && (move === null || topic.heard === null || move.sequence > topic.heard);
    if (isNews) this.#reload(topic, move?.before ?? EVERYTHING);
    else if (!topic && this.#tenants.has(tenantId))
      this.#reload(this.#newTopic(tenantId, customerId), move?.before ?? EVERYTHING);
  }

  /** Features or plans of a tenant have changed: every meter of it may have. */
  catalogChanged(tenantId: string): void {
    for (const topic of this.#topics.values()) if (topic.tenantId === tenantId) tellCatalog(topic);
  }

  /**
   * The floor under all hints of who is watched: finds customers who have moved unheard, catalogs that have changed, and
   * what was due. Returns when it knows; the readings follow by themselves.
   */
  async poll(): Promise<void> {
    if (this.#topics.size === 0) return;
    const nowMs = this.#deps.clock.now();
    const tenantIds = new Set([...this.#topics.values()].map(({ tenantId }) => tenantId));
    const [sequences, versions] = await Promise.all([
      this.#deps.truth.customerSequences([...this.#topics.keys()]),
      this.#deps.truth.catalogVersions([...tenantIds]),
    ]);
    for (const topic of this.#topics.values()) {
      const sequence = sequences.get(topic.customerId);
      const moved = sequence !== undefined && topic.heard !== null && sequence > topic.heard;
      const isDue = topic.dueAtMs !== null && topic.dueAtMs <= nowMs;
      if (moved || isDue) this.#reload(topic, isDue ? EVERYTHING : (topic.heard ?? EVERYTHING));
      const version = versions.get(topic.tenantId) ?? null;
      if (topic.catalogVersion !== null && topic.catalogVersion !== version) tellCatalog(topic);
    }
  }

  /** Closes every mailbox, so that every stream ends. */
  close(): void {
    this.#closed = true;
    for (const { mailboxes, telling } of this.#topics.values()) {
      if (telling) clearTimeout(telling);
      for (const mailbox of mailboxes) mailbox.close();
    }
    for (const mailboxes of this.#tenants.values()) for (const mailbox of mailboxes) mailbox.close();
  }

  #reload(topic: Topic, since: bigint): void {
    const earlier = this.#stale.get(topic) ?? since;
    this.#stale.set(topic, earlier < since ? earlier : since);
    if (!this.#isReloading) void this.#reloadStale();
  }

  /** One reading at a time, for all that went stale meanwhile: a storm of hints costs no storm of queries. */
  async #reloadStale(): Promise<void> {
    this.#isReloading = true;
    while (this.#stale.size > 0) {
      await Promise.resolve();
      const stale = [...this.#stale];
      this.#stale.clear();
      for (const tenantId of new Set(stale.map(([topic]) => topic.tenantId))) {
        const topics = stale.filter(([topic]) => topic.tenantId === tenantId);
        try {
          await this.#readTopics(tenantId, topics);
        } catch (error) {
          this.#deps.onError(error);
        }
      }
    }
    this.#isReloading = false; // in the same turn as the last look: what goes stale later finds nobody at it, and begins
  }

  async #readTopics(tenantId: string, topics: readonly (readonly [Topic, bigint])[]): Promise<void> {
    const selections = topics.map(([{ customerId }]) => ({ customerId, featureKeys: null }));
    const found = await this.#deps.truth.meters(tenantId, selections);
    for (const [topic, since] of topics) {
      const read = found.get(topic.customerId);
      if (!read || (topic.heard !== null && read.sequence < topic.heard)) continue;
      topic.heard = read.sequence;
      topic.catalogVersion = read.catalogVersion; // each usage says by which version it was computed
      topic.dueAtMs = firstDue(read);
      this.#tell(
        topic,
        read.meters.map(({ usage }) => usage),
      );
      for (const { usage, changedSequence } of read.meters) {
        if (changedSequence > since || read.limitsSequence > since) this.#tellTenant(tenantId, usage);
      }
    }
  }

  /** Tells at once what the pace allows; otherwise later, and then the newest. */
  #tell(topic: Topic, usages: readonly Usage[]): void {
    for (const usage of usages) {
      topic.untold.delete(usage.feature.key); // re-inserted, so that the map stays in order of change
      topic.untold.set(usage.feature.key, usage);
    }
    if (topic.mailboxes.size > 0 && !topic.telling) this.#tellInTime(topic);
  }

  #tellInTime(topic: Topic): void {
    const inMs = topic.pace.take(performance.now());
    topic.telling = inMs > 0 ? setTimeout(() => this.#tellInTime(topic), Math.ceil(inMs)).unref() : null;
    if (!topic.telling) tellAll(topic);
  }

  #newTopic(tenantId: string, customerId: string): Topic {
    return {
      tenantId,
      customerId,
      mailboxes: new Set(),
      heard: null,
      catalogVersion: null,
      dueAtMs: null,
      pace: new Pace(this.#deps.toldPerSecondMax ?? TOLD_PER_SECOND_MAX, performance.now()),
      untold: new Map(),
      telling: null,
    };
  }

  /** Who comes when the hub is closed finds the end of the stream. */
  #newMailbox<V>(sizeMax: number): Mailbox<V> {
    const mailbox = new Mailbox<V>(sizeMax, this.#deps.onDrop);
    if (this.#closed) mailbox.close();
    return mailbox;
  }

  #tellTenant(tenantId: string, usage: Usage): void {
    for (const mailbox of this.#tenants.get(tenantId) ?? [])
      mailbox.put(`${usage.customerId} ${usage.feature.key}`, usage);
  }
}

/** Puts what is untold into every mailbox: one object for all. */
function tellAll({ untold, mailboxes }: Topic): void {
  for (const [key, usage] of untold) {
    const change: MeterChange = { kind: 'usage', usage };
    for (const mailbox of mailboxes) mailbox.put(key, change);
  }
  untold.clear();
}

/** Before the sequence of any meter, also of one that was never used. */
const EVERYTHING = -1n;

/** Beside the keys of features, none of which is empty. */
const CATALOG_KEY = '';

function tellCatalog(topic: Topic): void {
  topic.catalogVersion = null;
  for (const mailbox of topic.mailboxes) mailbox.put(CATALOG_KEY, { kind: 'catalog' });
}

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

const firstDue = ({ meters, dueAtMs }: CustomerMeters): number | null =>
  meters.reduce((first, { usage }) => earlier(first, usage.period.endMs), dueAtMs);
