/**
 * Goal: whatever happens, in whatever order, and wherever a stream is cut, who resumes with the last cursor received
 * ends with the truth: no gap, and nothing twice when nothing has changed. Method: random lives of one customer on two
 * gateways, where hints come, come late or get lost, readings stop at any of their steps, and readers are slow; after
 * all that one poll, and the readers must show what a query would answer.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readingOf } from './reading.ts';
import { Streams } from './streams.ts';
import { Reader } from './testing/reader.ts';
import { ACME, HOUR_MS, settled, TENANT, World } from './testing/world.ts';

const KEYS = ['calls', 'storage', 'exports'] as const;
const SELECTIONS = [null, ['calls'], ['storage'], ['exports', 'calls']] as const;

const keys = fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 4 });
const hint = fc.constantFrom('heard', 'late', 'lost');
const reader = fc.nat(1);
/** Two readers, and what each of them follows. */
const selections = fc.tuple(fc.constantFrom(...SELECTIONS), fc.constantFrom(...SELECTIONS));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('use here' as const), keys }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('use elsewhere' as const), keys, hint }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set limits' as const), limit: fc.nat(9), hint }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('save feature' as const), limit: fc.nat(9), hint }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('time passes' as const), minutes: fc.nat(90) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'poll' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'hold readings' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('step a reading' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'release readings' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'hear what is late' as const }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), reader }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), reader }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const), reader }) },
  { weight: 3, arbitrary: fc.constant({ do: 'settle' as const }) },
);
type Selection = (typeof SELECTIONS)[number];
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Life {
  readonly world = new World('acme');
  readonly errors: unknown[] = [];
  readonly streams = new Streams({
    toldPerSecondMax: Number.POSITIVE_INFINITY, // nothing waits for a real clock here; what does, `resuming.laws` has
    truth: this.world.truth,
    clock: this.world.clock,
    onDrop: () => {},
    onError: (error) => this.errors.push(error),
  });
  readonly readers: readonly Reader[];
  readonly #late: (() => void)[] = [];

  constructor(selections: readonly Selection[]) {
    this.readers = selections.map((featureKeys) => new Reader(this.streams, featureKeys));
  }

  async do(step: Step): Promise<void> {
    const { world, streams } = this;
    switch (step.do) {
      case 'use here':
        return streams.committed({ moved: [world.use(ACME, ...step.keys)], alerts: [] });
      case 'use elsewhere': {
        const moved = world.use(ACME, ...step.keys);
        const [before, sequence] = [String(moved.sequenceBefore), String(moved.sequence)];
        return this.#hint(step.hint, () =>
          streams.heard({ kind: 'moved', from: 'other', customers: [[TENANT, ACME, before, sequence, 0]] }),
        );
      }
      case 'set limits':
        world.setLimits(ACME, 'calls', step.limit);
        return this.#hint(step.hint, () =>
          streams.heard({ kind: 'customer', from: 'other', tenantId: TENANT, customerId: ACME }),
        );
      case 'save feature':
        world.saveFeature('storage', { limit: BigInt(step.limit) });
        return this.#hint(step.hint, () => streams.heard({ kind: 'catalog', from: 'other', tenantId: TENANT }));
      case 'time passes':
        world.nowMs += step.minutes * 60_000;
        return;
      case 'poll':
        void streams.poll();
        return;
      case 'hold readings':
        return world.hold();
      case 'step a reading':
        return world.step(step.which);
      case 'release readings':
        return world.release();
      case 'hear what is late':
        return this.hearLate();
      case 'ask':
        return this.readers[step.reader]?.ask();
      case 'hear':
        this.readers[step.reader]?.ask();
        return settled();
      case 'cut':
        return this.readers[step.reader]?.cut();
      case 'settle':
        return settled();
    }
  }

  hearLate(): void {
    for (const hear of this.#late.splice(0)) hear();
  }

  /** The world comes to rest, and the slow poll finds what is left. */
  async rest(): Promise<void> {
    this.world.release();
    await settled();
    await this.streams.poll();
    await this.drain();
  }

  async drain(): Promise<number> {
    const heard = await Promise.all(this.readers.map((reader) => reader.drain()));
    return heard.reduce((sum, count) => sum + count, 0);
  }

  expectTruth(): void {
    expect(this.errors).toEqual([]);
    for (const { shown, featureKeys } of this.readers) {
      const truth = this.world.metersOf(ACME, featureKeys ?? KEYS).map(readingOf);
      expect(shown).toEqual(truth.sort());
    }
  }

  #hint(how: 'heard' | 'late' | 'lost' | string, hear: () => void): void {
    if (how === 'heard') hear();
    if (how === 'late') this.#late.push(hear);
  }
}

const live = async (selections: readonly Selection[], steps: readonly Step[]): Promise<Life> => {
  const life = new Life(selections);
  for (const each of steps) await life.do(each);
  await life.rest();
  return life;
};

describe('a usage stream', () => {
  it('shows the truth in the end, wherever it was cut', () =>
    fc.assert(
      fc.asyncProperty(selections, fc.array(step, { maxLength: 40 }), async (following, steps) => {
        const life = await live(following, steps);
        life.expectTruth();
        life.hearLate(); // what comes after all that is no news
        await life.drain();
        life.expectTruth();
        expect(life.readers.flatMap(({ repeated }) => repeated)).toEqual([]);
      }),
      { numRuns: 1_000 },
    ));

  it('tells nothing when nothing has changed, to who stays and to who resumes', () =>
    fc.assert(
      fc.asyncProperty(selections, fc.array(step, { maxLength: 40 }), async (following, steps) => {
        const life = await live(following, steps);
        for (const reader of life.readers) reader.cut();
        await life.drain(); // what was told before the last change of limits may be told again
        await life.streams.poll();
        life.hearLate();
        expect(await life.drain()).toBe(0);
        for (const reader of life.readers) reader.cut();
        expect(await life.drain()).toBe(0);
        life.expectTruth();
      }),
      { numRuns: 200 },
    ));

  it('leaves nothing behind, whenever its reader goes', () =>
    fc.assert(
      fc.asyncProperty(selections, fc.array(step, { maxLength: 30 }), async (following, steps) => {
        const life = new Life(following);
        for (const each of steps) await life.do(each);
        life.world.release();
        await Promise.all(life.readers.map((reader) => reader.leave()));
        await settled();
        expect([life.streams.openStreams, life.streams.customersWatched]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    ));

  it('begins with a snapshot after a cursor that has expired, and never otherwise a second time', async () => {
    const life = await live(SELECTIONS, [{ do: 'use here', keys: ['calls'] }]);
    life.world.nowMs += 36 * 24 * HOUR_MS;
    for (const reader of life.readers) reader.cut();
    await life.drain();
    for (const { items } of life.readers) {
      expect(items.slice(-2).map(({ kind }) => kind)).toEqual(['cursor-expired', 'snapshot']);
    }
    life.expectTruth();
  });
});
