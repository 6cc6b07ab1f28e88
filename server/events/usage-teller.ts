/**
 * usage-teller — what one subscriber of a customer's meters is told, and the cursor that goes with it.
 *
 * A cursor promises that everything up to it has been told: up to its sequence, by its version of the catalog, and of
 * periods that began by its instant. So of several changes only the last carries a new one, the version moves only with
 * a reading of every meter, and the instant never beyond the end of a period whose successor has not been told.
 */
import { encodeUsageCursor, isExpired, type UsageCursor } from '../domain/cursor.ts';
import type { CustomerMeters } from '../domain/meters.ts';
import type { Usage } from '../domain/usage.ts';
import { deltaOf } from './deltas.ts';
import { readingOf } from './reading.ts';
import { EXPIRED, type UsageStreamItem } from './stream-items.ts';

export class UsageTeller {
  readonly #featureKeys: readonly string[] | null;
  readonly #told = new Map<string, string>();
  /** By feature: when the period that was told ends. */
  readonly #ends = new Map<string, number>();
  /** Until the stream has been opened: it may live for days. */
  #read: CustomerMeters | null;
  #catalogVersion: number;
  #cursor: UsageCursor;

  constructor(featureKeys: readonly string[] | null, read: CustomerMeters) {
    this.#featureKeys = featureKeys;
    this.#read = read;
    this.#catalogVersion = read.catalogVersion;
    this.#cursor = cursorOf(read);
  }

  /** Of the last reading of every meter. */
  get catalogVersion(): number {
    return this.#catalogVersion;
  }

  /** A snapshot; with a cursor that is still good, only what it has missed. */
  *open(after: UsageCursor | null): Generator<UsageStreamItem> {
    const read = this.#read;
    if (!read) throw new Error('a stream is opened once');
    this.#read = null;
    const { meters, sequence, atMs } = read;
    const expired = after !== null && (isExpired(after, atMs) || after.sequence > sequence);
    if (expired) yield EXPIRED;
    this.#untold(meters.map(({ usage }) => usage));
    if (after === null || expired) {
      yield { kind: 'snapshot', usages: meters.map(({ usage }) => usage), cursor: encodeUsageCursor(this.#cursor) };
      return;
    }
    const upToNow = this.#cursor;
    this.#cursor = after;
    yield* this.#deltas(missedSince(after, read), upToNow);
  }

  /** Those of the changes that this subscriber wants and doesn't know yet. */
  *tell(changes: readonly Usage[]): Generator<UsageStreamItem> {
    const wanted = this.#featureKeys;
    const relevant = changes.filter(
      ({ feature, sequence }) => sequence >= this.#cursor.sequence && (!wanted || wanted.includes(feature.key)),
    );
    const untold = this.#untold(relevant);
    const newest = relevant.reduce((max, { sequence }) => (sequence > max ? sequence : max), this.#cursor.sequence);
    yield* this.#deltas(untold, { ...this.#cursor, sequence: newest, atMs: this.#asOf(relevant) });
  }

  /** The same for a new reading of every meter. */
  *tellAll(read: CustomerMeters): Generator<UsageStreamItem> {
    this.#catalogVersion = read.catalogVersion;
    yield* this.#deltas(this.#untold(read.meters.map(({ usage }) => usage)), cursorOf(read));
  }

  #untold(usages: readonly Usage[]): readonly Usage[] {
    return usages.filter((usage) => {
      const reading = readingOf(usage);
      const isNews = this.#told.get(usage.feature.key) !== reading;
      this.#told.set(usage.feature.key, reading);
      this.#ends.set(usage.feature.key, usage.period.endMs ?? Number.POSITIVE_INFINITY);
      return isNews;
    });
  }

  /** The last instant by which every meter has been told, once these have. */
  #asOf(usages: readonly Usage[]): number {
    const newestMs = Math.max(...usages.map(({ atMs }) => atMs), this.#cursor.atMs);
    return Math.max(this.#cursor.atMs, Math.min(newestMs, ...[...this.#ends.values()].map((endMs) => endMs - 1)));
  }

  *#deltas(usages: readonly Usage[], upTo: UsageCursor): Generator<UsageStreamItem> {
    for (const [i, usage] of usages.entries()) {
      if (i === usages.length - 1) this.#cursor = upTo;
      yield deltaOf(usage, this.#cursor);
    }
    this.#cursor = upTo;
  }
}

const cursorOf = ({ customerId, sequence, catalogVersion, atMs }: CustomerMeters): UsageCursor => ({
  customerId,
  sequence,
  catalogVersion,
  atMs,
});

function missedSince(after: UsageCursor, read: CustomerMeters): readonly Usage[] {
  const everything = read.limitsSequence > after.sequence || read.catalogVersion !== after.catalogVersion;
  return read.meters
    .filter((m) => everything || m.changedSequence > after.sequence || m.usage.period.startMs > after.atMs)
    .map(({ usage }) => usage);
}
