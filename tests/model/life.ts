/**
 * life — one life of a few customers, lived twice: by the model and by a subject, usually the real engine. Each step is
 * told to both, and both must answer alike.
 */
import { customerIdOf } from '../../server/domain/customer.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import type { ConsumeRequest, Request } from '../../server/metering/requests.ts';
import type { ManualClock } from '../support/clock.ts';
import { type Book, type Entry, newBook } from './book.ts';
import { CUSTOMERS, definitionOf } from './catalog.ts';
import { changeLimits, changePlan } from './changing.ts';
import { isAdditive } from './measure.ts';
import { foretell, tell } from './model.ts';
import { periodOf, regularPeriod } from './questions.ts';
import { type Step, spellStep, type Use } from './steps.ts';
import { differences, spellTold, type Told } from './told.ts';

/** What is lived: the engine with all around it, or a stand-in to test the tests with. */
export type Subject = {
  /** A rejection is told by its code, as `refusedWith` does. */
  execute(request: Request): Promise<Heard>;
  check(request: ConsumeRequest): Promise<Told>;
  register(customer: { referenceId: string; timeZone: string; planKey: string }): Promise<void>;
  setPlan(referenceId: string, planKey: string, effective: 'immediately' | 'at_renewal' | null): Promise<void>;
  setLimits(referenceId: string, featureKey: string, fields: LimitFields): Promise<void>;
  /** Everything in memory is lost. */
  crash(): Promise<void>;
};

/** An answer, and the customer's sequence after it. */
export type Heard = { readonly told: Told; readonly sequence: bigint | null };

/** Both were told the same and answer differently. The message is the script up to there. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement';
}

type Sent = {
  readonly line: number;
  readonly expected: Told;
  readonly answer: Promise<Heard>;
  /** Gives the event of this call the sequence that it took. */
  readonly name: (sequence: bigint) => void;
};

type Options = {
  readonly tenantId: string;
  readonly clock: ManualClock;
  /** Keeps the customers of one life apart from those of others in the same database. */
  readonly suffix: string;
};

export class Life {
  readonly #subject: Subject;
  readonly #clock: ManualClock;
  readonly #tenantId: string;
  readonly #script: string[] = [];
  readonly books: readonly Book[];
  #sent: Sent[] = [];
  /** The last request of each customer that may be sent again as it is. */
  readonly #last = new Map<Book, Request>();
  #ids = 0;

  private constructor(subject: Subject, { clock, tenantId, suffix }: Options) {
    this.#subject = subject;
    this.#clock = clock;
    this.#tenantId = tenantId;
    this.books = CUSTOMERS.map(({ referenceId, timeZone, planKey }) =>
      newBook({ referenceId: `${referenceId}${suffix}`, timeZone, planKey, createdAtMs: clock.now() }),
    );
    this.#script.push(`begin at ${new Date(clock.now()).toISOString()}`);
  }

  static async begin(subject: Subject, options: Options): Promise<Life> {
    const life = new Life(subject, options);
    for (const [i, { referenceId, timeZone }] of life.books.entries()) {
      await subject.register({ referenceId, timeZone, planKey: CUSTOMERS[i]?.planKey ?? '' });
    }
    return life;
  }

  customerIds(): string[] {
    return this.books.map(({ referenceId }) => customerIdOf(this.#tenantId, referenceId));
  }

  /** What has happened so far, a line a step. */
  script(): string {
    return this.#script.join('\n');
  }

  /** Lives one step. @throws {Disagreement} */
  async live(step: Step): Promise<void> {
    const book = this.#bookOf(step);
    if (step.act === 'reverse' || step.act === 'retry') await this.catchUp(); // they name what was answered before
    if (step.act === 'reset') await this.#waitForPeriod(book, step.feature);
    const request = this.#requestOf(book, step);
    if (request !== null) {
      this.#send(book, request, step);
      if (!step.hasty) await this.catchUp();
      return;
    }
    await this.catchUp();
    this.#note(step);
    switch (step.act) {
      case 'wait':
        return this.#clock.advance(step.ms);
      case 'midnight':
        return this.#waitUntil((regularPeriod(book, 'calls', 'daily', this.#clock.now()).endMs ?? 0) + step.offsetMs);
      case 'crash':
        return this.#subject.crash();
      case 'check':
        return this.#check(book, this.#consumeOf(book, step));
      case 'plan': {
        await this.#subject.setPlan(book.referenceId, step.plan, step.effective);
        return changePlan(book, step.plan, step.effective, this.#clock.now());
      }
      case 'limits': {
        await this.#subject.setLimits(book.referenceId, step.feature, step.fields);
        return changeLimits(book, step.feature, step.fields, this.#clock.now());
      }
    }
  }

  /** Ends the life. @throws {Disagreement} where an answer differs, or laws are broken. */
  async end(brokenLaws: readonly string[]): Promise<void> {
    await this.catchUp();
    if (brokenLaws.length > 0) throw new Disagreement(`${this.script()}\n  ${brokenLaws.join('\n  ')}`);
  }

  /** Hears the answers that were not waited for. */
  async catchUp(): Promise<void> {
    const sent = this.#sent;
    this.#sent = [];
    const heard = await Promise.all(sent.map(({ answer }) => answer));
    for (const [i, { line, expected, name }] of sent.entries()) {
      const { told, sequence } = heard[i] ?? { told: {}, sequence: null };
      this.#compare(line, told, expected);
      if (sequence !== null && told.replayed !== true) name(sequence);
    }
  }

  #bookOf({ who }: Step): Book {
    const book = this.books[who];
    if (!book) throw new RangeError(`there is no customer ${who}`);
    return book;
  }

  #note(step: Step): number {
    return this.#script.push(`${new Date(this.#clock.now()).toISOString()} ${spellStep(step)}`) - 1;
  }

  #send(book: Book, request: Request, step: Step): void {
    const line = this.#note(step);
    const answer = this.#subject.execute(request);
    const wasHeld = book.entries.filter(({ state }) => state === 'held');
    const count = book.entries.length;
    const expected = tell(book, request, this.#clock.now());
    const changed =
      wasHeld.find(({ state }) => state === 'used') ?? book.entries.slice(count).findLast(({ isCarry }) => !isCarry);
    const name = (sequence: bigint): void => {
      // Where a commit comes to less than nothing its hold is let go after it, with a sequence of its own.
      const isLetGoAfter = request.kind === 'commit' && (request.amount ?? 0n) < 0n;
      if (changed?.state === 'used' && !isNothing(changed)) changed.sequence = sequence - (isLetGoAfter ? 1n : 0n);
    };
    this.#sent.push({ line, expected, answer, name });
    if (request.idempotencyKey !== null || REPEATABLE.includes(request.kind)) this.#last.set(book, request);
  }

  async #check(book: Book, request: ConsumeRequest): Promise<void> {
    const line = this.#script.length - 1;
    const expected = foretell(book, request, this.#clock.now());
    this.#compare(line, await this.#subject.check(request), expected);
  }

  #compare(line: number, told: Told, expected: Told): void {
    const found = differences(told, expected);
    this.#script[line] += ` → ${spellTold(expected)}`;
    if (found.length === 0) return;
    const lines = this.#script.slice(0, line + 1);
    throw new Disagreement(`${lines.join('\n')}\n  ${found.join('\n  ')}`);
  }

  /** A period that begins now is not started again now: which of the two an instant is in would be anybody's guess. */
  async #waitForPeriod(book: Book, featureKey: string): Promise<void> {
    await this.catchUp();
    if (periodOf(book, featureKey, this.#clock.now()).startMs >= this.#clock.now()) this.#clock.advance(1);
  }

  #waitUntil(atMs: number): void {
    if (atMs > this.#clock.now()) this.#clock.set(atMs);
  }

  /** The request that a step makes; null for what is none. */
  #requestOf(book: Book, step: Step): Request | null {
    const nowMs = this.#clock.now();
    const call = this.#callOf(book, null);
    switch (step.act) {
      case 'consume':
        return this.#consumeOf(book, step);
      case 'record': {
        const occurredAtMs = step.agoMs === 0 ? null : Math.max(book.createdAtMs, nowMs - step.agoMs);
        return { ...this.#consumeOf(book, step), purpose: 'record', occurredAtMs };
      }
      case 'reserve': {
        const { purpose: _, occurredAtMs: __, ...use } = this.#consumeOf(book, step);
        return { ...use, kind: 'reserve', reservationId: this.#nextId(), ttlMs: step.ttlMs };
      }
      case 'commit': {
        const { amount, mode } = step;
        return { ...call, kind: 'commit', reservationId: this.#holdOf(book, step.hold), amount, mode };
      }
      case 'release':
        return { ...call, kind: 'release', reservationId: this.#holdOf(book, step.hold) };
      case 'grant':
        return {
          ...this.#callOf(book, this.#nextId()),
          kind: 'grant',
          grantId: this.#nextId(),
          featureKey: step.feature,
          source: 'purchase',
          amount: step.amount,
          priority: step.priority,
          effectiveFromMs: step.inMs === null ? null : nowMs + step.inMs,
          expiresAtMs: step.forMs === null || step.recurring ? null : nowMs + (step.inMs ?? 0) + step.forMs,
          recurring: step.recurring,
          settlesOverage: false,
        };
      case 'void': {
        const bought = book.grants.filter(({ id, isPlan, originId }) => !isPlan && id === originId);
        return { ...call, kind: 'void-grant', grantId: nth(bought, step.grant)?.id ?? UNKNOWN };
      }
      case 'top-up':
        return { ...this.#callOf(book, this.#nextId()), kind: 'top-up', currency: 'usd', amount: step.amount };
      case 'reverse': {
        const events = book.entries.filter(({ sequence, isReversal }) => sequence !== null && !isReversal);
        return { ...call, kind: 'reverse', sequence: nth(events, step.event)?.sequence ?? 1_000_000n };
      }
      case 'reset':
        return { ...call, kind: 'reset', featureKey: step.feature };
      case 'settle':
        return { ...call, kind: 'settle' };
      case 'retry':
        return this.#last.get(book) ?? null;
      default:
        return null;
    }
  }

  #callOf({ referenceId }: Book, idempotencyKey: string | null) {
    return {
      tenantId: this.#tenantId,
      customerId: customerIdOf(this.#tenantId, referenceId),
      referenceId,
      idempotencyKey,
    };
  }

  #consumeOf(book: Book, use: Use): ConsumeRequest {
    const { of } = definitionOf(use.feature);
    return {
      ...this.#callOf(book, use.keyed ? this.#nextId() : null),
      kind: 'consume',
      featureKey: use.feature,
      amount: use.amount,
      duration: null,
      mode: use.mode,
      overrideKey: null,
      entityId: use.entity,
      properties: of ? JSON.stringify({ [of]: use.user }) : null,
      refusal: null,
      purpose: 'use',
      occurredAtMs: null,
    };
  }

  #holdOf(book: Book, back: number): string {
    return nth(book.holds, back)?.id ?? UNKNOWN;
  }

  /** A UUID that no other thing of this life has. */
  #nextId(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

/** A commit of nothing leaves no event. */
const isNothing = ({ taken, featureKey }: Entry): boolean => taken === 0n && isAdditive(featureKey);

/** What says by itself which thing it is about, so that doing it twice is noticed without a key. */
const REPEATABLE: readonly Request['kind'][] = ['commit', 'release', 'void-grant', 'reverse'];
const UNKNOWN = 'ffffffff-ffff-4fff-8fff-ffffffffffff';

/** Counted back from the newest, and from the newest again beyond the oldest. */
const nth = <T>(list: readonly T[], back: number): T | undefined =>
  list.length === 0 ? undefined : list[list.length - 1 - (back % list.length)];

/** A subject that is the model again: to see the driver agree with itself, and notice what is planted. */
export function echo(clock: ManualClock, plant: (told: Told) => Told = (told) => told): Subject {
  const books = new Map<string, Book>();
  const bookOf = (referenceId: string): Book => {
    const book = books.get(referenceId);
    if (!book) throw new RangeError(`${referenceId} is not registered`);
    return book;
  };
  return {
    execute: (request) => {
      const told = plant(tell(bookOf(request.referenceId), request, clock.now()));
      return Promise.resolve({ told, sequence: null });
    },
    check: (request) => Promise.resolve(foretell(bookOf(request.referenceId), request, clock.now())),
    register: async ({ referenceId, timeZone, planKey }) => {
      books.set(referenceId, newBook({ referenceId, timeZone, planKey, createdAtMs: clock.now() }));
    },
    setPlan: async (referenceId, planKey, effective) =>
      changePlan(bookOf(referenceId), planKey, effective, clock.now()),
    setLimits: async (referenceId, key, fields) => changeLimits(bookOf(referenceId), key, fields, clock.now()),
    crash: () => Promise.resolve(),
  };
}
