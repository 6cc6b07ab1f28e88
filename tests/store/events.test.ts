/**
 * Goal: every filter of the list of events leaves out what it should and nothing else, alone and with others, and pages
 * of what is left are exact. Method: random events in a real database; each random filter against the same condition
 * told in one line, page by page.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { listEvents } from '../../server/actions/find-events.ts';
import type { Database } from '../../server/db/client.ts';
import type { EventFilter, EventPosition } from '../../server/db/queries/events.ts';
import type { EventKind, UsageEvent } from '../../server/domain/event.ts';
import { describeEngines } from '../support/engines.ts';

const START_MS = Date.parse('2026-03-01T00:00:00Z');
const HOUR_MS = 3_600_000;

type Stored = {
  readonly customerId: string;
  readonly sequence: bigint;
  readonly kind: EventKind;
  readonly featureKey: string;
  readonly occurredAtMs: number;
  readonly recordedAtMs: number;
  readonly idempotencyKey: string | null;
  readonly properties: Readonly<Record<string, string>> | null;
};

const tenantId = randomUUID();
const customers = [randomUUID(), randomUUID()] as const;

/** Recorded in order of sequence; many at the same instant, some late, some a little ahead. */
const STORED: readonly Stored[] = Array.from({ length: 120 }, (_, i) => ({
  customerId: customers[i % 2] ?? '',
  sequence: BigInt(Math.floor(i / 2) + 1),
  kind: (['use', 'record', 'reversal'] as const)[i % 3] ?? 'use',
  featureKey: i % 5 === 0 ? 'storage' : 'calls',
  occurredAtMs: START_MS + Math.floor(i / 7) * HOUR_MS + ([0, -30 * 24 * HOUR_MS, 290_000][i % 3] ?? 0),
  recordedAtMs: START_MS + Math.floor(i / 7) * HOUR_MS,
  idempotencyKey: i % 4 === 0 ? `key ${i % 8}` : null,
  properties: i % 3 === 0 ? null : { model: i % 2 ? 'large' : 'small', ...(i % 5 === 0 && { region: 'eu' }) },
}));

const has = (event: Stored, properties: string | null): boolean =>
  properties === null ||
  (event.properties !== null &&
    Object.entries(JSON.parse(properties)).every(([name, value]) => event.properties?.[name] === value));

const matches = (event: Stored, filter: EventFilter): boolean =>
  (filter.customerId === null || event.customerId === filter.customerId) &&
  (filter.featureKeys === null || filter.featureKeys.includes(event.featureKey)) &&
  (filter.kind === null || event.kind === filter.kind) &&
  (filter.fromMs === null || filter.fromMs <= event.occurredAtMs) &&
  (filter.toMs === null || event.occurredAtMs < filter.toMs) &&
  (filter.idempotencyKey === null || event.idempotencyKey === filter.idempotencyKey) &&
  has(event, filter.properties);

const newestFirst = (a: Stored, b: Stored): number =>
  b.recordedAtMs - a.recordedAtMs ||
  (a.customerId === b.customerId ? 0 : a.customerId < b.customerId ? 1 : -1) ||
  Number(b.sequence - a.sequence);

const spell = ({ customerId, sequence }: Pick<Stored, 'customerId' | 'sequence'>): string =>
  `${customerId} ${sequence}`;

describeEngines('the list of events', (engine) => {
  let database: Database;

  beforeAll(async () => {
    database = await engine.open();
    await database.query({
      text: `INSERT INTO customers (id, tenant_id, reference_id, reference_type, time_zone, anchor_at, created_at)
        SELECT id::uuid, $1::uuid, id, 'user', 'UTC', now(), now() FROM unnest($2::text[]) AS id`,
      params: [tenantId, [...customers]],
    });
    await database.query({
      text: `INSERT INTO events (customer_id, sequence, tenant_id, kind, feature_key, period_start, reported, amount, overage, used_after,
          idempotency_key, properties, occurred_at, recorded_at)
        SELECT v.customer_id::uuid, v.sequence::bigint, $1::uuid, v.kind, v.feature_key, now(), 1, 1, 0, 1, v.key, v.properties::jsonb,
          v.occurred_at::timestamptz, v.recorded_at::timestamptz
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
          AS v (customer_id, sequence, kind, feature_key, key, properties, occurred_at, recorded_at)`,
      params: [
        tenantId,
        STORED.map((event) => event.customerId),
        STORED.map((event) => String(event.sequence)),
        STORED.map((event) => event.kind),
        STORED.map((event) => event.featureKey),
        STORED.map((event) => event.idempotencyKey),
        STORED.map((event) => event.properties && JSON.stringify(event.properties)),
        STORED.map((event) => new Date(event.occurredAtMs).toISOString()),
        STORED.map((event) => new Date(event.recordedAtMs).toISOString()),
      ],
    });
  });

  /** Every page, asked for one after the other. */
  async function pagesOf(filter: EventFilter, first: number): Promise<readonly UsageEvent[]> {
    const all: UsageEvent[] = [];
    for (let after: EventPosition | null = null; ; ) {
      const { nodes, hasNextPage } = await listEvents({ database }, tenantId, filter, { first, after });
      all.push(...nodes);
      after = nodes.at(-1) ?? null;
      if (!hasNextPage) return all;
      expect(nodes).toHaveLength(first);
    }
  }

  it('is what its filters say, newest first, page by page', { timeout: 60_000 }, async () => {
    const hours = fc.oneof(fc.integer({ min: -1, max: 19 }), fc.integer({ min: -30 * 24 - 1, max: -30 * 24 + 19 }));
    const instant = hours.map((count) => START_MS + count * HOUR_MS);
    const filters = fc.record<EventFilter>({
      customerId: fc.constantFrom(null, ...customers),
      featureKeys: fc.constantFrom(null, ['calls'], ['calls', 'storage'], []),
      kind: fc.constantFrom(null, null, 'use', 'record', 'reset'),
      fromMs: fc.option(instant),
      toMs: fc.option(instant),
      idempotencyKey: fc.constantFrom(null, null, null, 'key 0', 'key 4', "' OR true"),
      properties: fc.constantFrom(
        null,
        null,
        '{}',
        '{"model":"large"}',
        '{"model":"small","region":"eu"}',
        '{"model":1}',
      ),
    });
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom(1, 7, 100), async (filter, first) => {
        const expected = STORED.filter((event) => matches(event, filter)).sort(newestFirst);
        expect((await pagesOf(filter, first)).map(spell)).toEqual(expected.map(spell));
      }),
      { numRuns: 60 },
    );
  });
});
