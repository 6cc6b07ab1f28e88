/**
 * Goal: on a real gateway, and on two, a client that loses its stream at any item and resumes with its last cursor ends
 * with what a query answers: no gap, nothing twice. Method: random uses and cuts; with two gateways the use is counted
 * by one and heard from the other.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { describePostgres } from '../support/postgres.ts';
import {
  consume,
  consumeMany,
  cursorOf,
  merge,
  openPair,
  openRig,
  openUsage,
  type Rig,
  register,
  type Shown,
  type Stream,
  spellItem,
  truthOf,
  type UsageItem,
  WAYS,
  type Way,
} from './rig.ts';

const FEATURES = ['api_calls', 'storage', 'exports'] as const;
const uses = fc.array(fc.constantFrom(...FEATURES), { minLength: 1, maxLength: 5 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('use one by one' as const), uses }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('use in one batch' as const), uses }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), limit: fc.integer({ min: 90, max: 99 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'hear one' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'cut' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A client that merges, remembers its cursor, and is cut off. */
class Client {
  readonly heard: string[] = [];
  #shown: ReadonlyMap<string, Shown> = new Map();
  #after: string | null = null;
  #stream: Stream<UsageItem> | null = null;
  readonly #open: (after: string | null) => Promise<Stream<UsageItem>>;

  constructor(open: (after: string | null) => Promise<Stream<UsageItem>>) {
    this.#open = open;
  }

  async hear(): Promise<void> {
    this.#stream ??= await this.#open(this.#after);
    const item = await this.#stream.next();
    this.#after = cursorOf(item);
    if (item.__typename === 'UsageDelta') {
      // Nothing goes back: a period does not end here, and nothing is given back.
      const before = Number(this.#shown.get(item.usage.feature.key)?.used);
      expect(Number(item.usage.used)).toBeGreaterThanOrEqual(before);
    }
    this.heard.push(spellItem(item));
    this.#shown = merge(this.#shown, item);
  }

  cut(): void {
    this.#stream?.cut();
    this.#stream = null;
  }

  shows(truth: Readonly<Record<string, Shown>>): boolean {
    return FEATURES.every((key) => JSON.stringify(this.#shown.get(key)) === JSON.stringify(truth[key]));
  }

  /** Hears until it shows this; a gap would leave it waiting, and fails the test. */
  async hearUntil(truth: Readonly<Record<string, Shown>>): Promise<void> {
    while (!this.shows(truth)) await this.hear();
  }
}

async function live(writer: Rig, reader: Rig, way: Way, steps: readonly Step[]): Promise<void> {
  const referenceId = `customer ${customers++}`;
  await register(writer, referenceId);
  await limitExports(writer, referenceId, 100);
  const client = new Client((after) => openUsage(reader, { referenceId, ...(after !== null && { after }) }, { way }));
  await client.hear();
  for (const each of steps) await perform(each, client, writer, referenceId);
  await client.hearUntil(await truthOf(writer, referenceId));
  await consume(writer, referenceId, 'storage', AMOUNTS.storage);
  await client.hearUntil(await truthOf(writer, referenceId)); // now it has the newest cursor
  client.cut();
  await consume(writer, referenceId, 'storage', AMOUNTS.storage);
  const heard = client.heard.length;
  await client.hear();
  expect(client.shows(await truthOf(writer, referenceId))).toBe(true); // so the first item was this use, and no other
  expect(client.heard.slice(heard)).toEqual([expect.stringMatching(/^storage /)]);
  client.cut();
}

async function perform(each: Step, client: Client, writer: Rig, referenceId: string): Promise<void> {
  switch (each.do) {
    case 'use one by one':
      for (const key of each.uses) await consume(writer, referenceId, key, AMOUNTS[key]);
      return;
    case 'use in one batch':
      return consumeMany(
        writer,
        each.uses.map((featureKey) => ({ referenceId, featureKey, ...AMOUNTS[featureKey] })),
      );
    case 'limit':
      return limitExports(writer, referenceId, each.limit);
    case 'hear one':
      if (!client.shows(await truthOf(writer, referenceId))) await client.hear();
      return;
    case 'cut':
      return client.cut();
  }
}

let customers = 0;
/** So little that no limit is reached. */
const AMOUNTS = { api_calls: {}, storage: { amount: 0.01 }, exports: {} } as const;

async function limitExports(writer: Rig, referenceId: string, limit: number): Promise<void> {
  await writer.data('mutation ($input: SetCustomerLimitsInput!) { setCustomerLimits(input: $input) { __typename } }', {
    input: { referenceId, limits: [{ featureKey: 'exports', limit }] },
  });
}

/** Every run is made, also on a machine that is busy with others. */
const SLOW_MS = 120_000;

describe.each(WAYS)('a client that is cut off and resumes over %s', (way) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });

  it(
    'ends with the truth',
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), (steps) => live(rig, rig, way, steps)),
        { numRuns: 12 },
      ),
    SLOW_MS,
  );
});

describePostgres('a client that hears one gateway while another counts', () => {
  it(
    'ends with the truth',
    async () => {
      const { one, other } = await openPair();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), fc.constantFrom(...WAYS), (steps, way) =>
          live(one, other, way, steps),
        ),
        { numRuns: 12 },
      );
    },
    SLOW_MS,
  );
});
