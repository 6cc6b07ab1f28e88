/**
 * scene — one customer of a real engine, told what to do in short commands and heard in short sentences, so that a test is
 * a table of both.
 *
 * ```ts
 * await play(database, { features: { calls: { limit: unitsOf('5') } } }, [
 *   ['use 3', '3 included'],
 *   ['use 3', 'LIMIT_REACHED'],
 * ]);
 * ```
 *
 * After each use, what `check` said before it must be what came; a refusal must have changed nothing; and at the end every
 * promise that the tables make to each other must hold.
 */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import type { Deps } from '../../server/actions/deps.ts';
import { registerCustomer } from '../../server/actions/register-customer.ts';
import { savePlan } from '../../server/actions/save-plan.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import { setCustomerPlan } from '../../server/actions/set-customer-plan.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import type { Split } from '../../server/domain/decision.ts';
import type { PlanDefinition } from '../../server/domain/definitions.ts';
import { MeterError } from '../../server/domain/errors.ts';
import type { Feature, LimitFields } from '../../server/domain/feature.ts';
import type { Reset } from '../../server/domain/period.ts';
import type { PlanChange } from '../../server/domain/plan-change.ts';
import type { Price } from '../../server/domain/price.ts';
import { formatUnits, ONE, unitsOf } from '../../server/domain/units.ts';
import type { Usage } from '../../server/domain/usage.ts';
import type {
  ConsumeRequest,
  Consumption,
  Holding,
  Request,
  ReserveRequest,
  Result,
} from '../../server/metering/requests.ts';
import { settlerOf } from '../../server/metering/settler.ts';
import { UsageReader } from '../../server/metering/usage-reader.ts';
import { describeEngines } from '../support/engines.ts';
import { digestOf, expectConsistent, openRig, query, type Rig, saveFeature } from './rig.ts';

/** What is said before the first command. */
export type Setting = {
  /** By key, with `calls` for most. */
  readonly features: Readonly<Record<string, LimitFields & Partial<Feature>>>;
  readonly plans?: Readonly<Record<string, Omit<PlanDefinition, 'key'>>>;
  /** Of the customer; without one it may use every feature. */
  readonly plan?: string;
  readonly timeZone?: string;
  /** When the customer begins; noon on 15 March 2026 unless it is said. */
  readonly since?: string;
};

/** A title, what is said before, and the commands. */
export type Row = readonly [title: string, setting: Setting, steps: readonly Step[]];

/** A table of scenes, each on a customer of its own, on both engines. */
export function describeScenes(name: string, rows: readonly Row[]): void {
  describeEngines(name, (engine) => {
    let database: Database;
    beforeAll(async () => {
      database = await engine.open();
    });

    it.each(rows)('%s', async (_, setting, steps) => {
      await play(database, setting, steps);
    });
  });
}

/** A command and the sentence that is expected; without one, whatever comes. */
export type Step = readonly [command: string, says?: string];

/** A price by the unit, in US cents. */
export const perUnit = (unitAmount: string): Price => ({
  model: 'per_unit',
  unitAmount: unitsOf(unitAmount),
  currency: 'usd',
  minimumSpend: null,
  maximumSpend: null,
});

export const units = unitsOf;

/** Plays the commands one after the other, on a customer of its own, and compares what is said to each. */
export async function play(database: Database, setting: Setting, steps: readonly Step[]): Promise<Scene> {
  const scene = await openScene(database, setting);
  for (const [i, [command, expected]] of steps.entries()) {
    const said = await scene.tell(command);
    if (expected !== undefined) expect(`${i + 1}. ${command} → ${said}`).toBe(`${i + 1}. ${command} → ${expected}`);
  }
  await expectConsistent(database, scene.customerId, scene.rig.tenantId);
  return scene;
}

export async function openScene(
  database: Database,
  { features, plans = {}, plan, timeZone = 'UTC', since }: Setting,
): Promise<Scene> {
  const rig = await openRig(database);
  if (since !== undefined) rig.clock.set(since);
  for (const [key, fields] of Object.entries(features)) await saveFeature(rig, key, fields, fields);
  const deps: Deps = {
    database,
    catalogs: new Catalogs(),
    clock: rig.clock,
    announce: () => {},
    settle: settlerOf(rig.engine),
    tokenSecret: new Uint8Array(32),
  };
  for (const [key, definition] of Object.entries(plans)) await savePlan(deps, rig.tenantId, { ...definition, key });
  const customer = { referenceId: 'acme', timeZone, ...(plan !== undefined && { planKey: plan }) };
  await registerCustomer(deps, rig.tenantId, customer, { mayChangePlan: true });
  return new Scene(rig, deps, Object.keys(features)[0] ?? 'calls');
}

/** `verb word word name=value`. */
type Command = {
  readonly verb: string;
  readonly words: readonly string[];
  readonly named: Readonly<Record<string, string>>;
};

export class Scene {
  readonly rig: Rig;
  readonly deps: Deps;
  readonly #featureKey: string;
  /** Sequences, grants and holds by the names that commands give them. */
  readonly #named = new Map<string, string>();

  constructor(rig: Rig, deps: Deps, featureKey: string) {
    this.rig = rig;
    this.deps = deps;
    this.#featureKey = featureKey;
  }

  get customerId(): string {
    return customerIdOf(this.rig.tenantId, 'acme');
  }

  /** Does what a command says. A refusal is its reason, an error its code. */
  async tell(line: string): Promise<string> {
    const command = parse(line);
    try {
      return await this.#do(command);
    } catch (error) {
      if (error instanceof MeterError) return error.code;
      throw error;
    }
  }

  async #do({ verb, words, named }: Command): Promise<string> {
    const [first = '', second] = words;
    switch (verb) {
      case 'use':
      case 'record':
      case 'reserve':
        return this.#call(this.requestOf(verb, words, named), named.as);
      case 'commit':
        return this.#spoken(
          {
            ...this.#from(named),
            kind: 'commit',
            reservationId: this.#idOf(first),
            amount: second === undefined ? null : unitsOf(second),
            mode: modeOf(named.mode),
          },
          named.as,
        );
      case 'release':
        return this.#spoken({ ...this.#from(named), kind: 'release', reservationId: this.#idOf(first) });
      case 'grant':
        return this.#spoken({
          ...this.#from(named),
          kind: 'grant',
          grantId: this.#idOf(first),
          featureKey: named.of ?? this.#featureKey,
          source: 'purchase',
          amount: unitsOf(second ?? '1'),
          priority: named.priority === undefined ? null : Number(named.priority),
          effectiveFromMs: msOf(named.from),
          expiresAtMs: msOf(named.until),
          recurring:
            named.every === undefined ? null : { reset: named.every as Reset, onRenewal: renewalOf(named.renewal) }, // tests write resets right
          settlesOverage: named.settles === 'overage',
        });
      case 'void':
        return this.#spoken({ ...this.#from(named), kind: 'void-grant', grantId: this.#idOf(first) });
      case 'top-up':
        return this.#spoken({ ...this.#from(named), kind: 'top-up', currency: 'usd', amount: unitsOf(first) });
      case 'floor':
        return this.#spoken({
          ...this.#from(named),
          kind: 'set-wallet',
          currency: 'usd',
          floor: first === 'plan' ? null : unitsOf(first),
        });
      case 'top-up-was':
        return this.#spoken({
          ...this.#from(named),
          kind: 'settle-top-up',
          currency: 'usd',
          outcome: first as 'paid' | 'failed',
        }); // one of the two
      case 'reverse':
        return this.#spoken(
          { ...this.#from(named), kind: 'reverse', sequence: BigInt(this.#named.get(first) ?? first) },
          named.as,
        );
      case 'reset':
        return this.#spoken({ ...this.#from(named), kind: 'reset', featureKey: named.of ?? this.#featureKey });
      case 'settle':
        return this.#spoken({ ...this.#from(named), kind: 'settle' });
      case 'at':
        this.rig.clock.set(first);
        return 'done';
      case 'plan':
        await setCustomerPlan(this.deps, this.rig.tenantId, {
          referenceId: 'acme',
          planKey: first,
          effective: (second as PlanChange | undefined) ?? null, // tests write it right
        });
        return 'done';
      default:
        return this.#ask(verb, words, named);
    }
  }

  /** The request that a command of use makes. */
  requestOf(
    verb: string,
    words: readonly string[],
    named: Readonly<Record<string, string>>,
  ): ConsumeRequest | ReserveRequest {
    const isHold = verb === 'reserve';
    const amount = isHold ? words[1] : words[0];
    const consume = this.rig.call('acme', {
      purpose: verb === 'record' ? 'record' : 'use',
      featureKey: named.of ?? this.#featureKey,
      amount: amount?.startsWith('P') ? ONE : unitsOf(amount ?? '1'),
      duration: amount?.startsWith('P') ? amount : null,
      mode: modeOf(named.mode),
      overrideKey: named.plan ?? null,
      entityId: named.by ?? null,
      occurredAtMs: msOf(named.at),
      idempotencyKey: named.key ?? null,
      properties: named.user === undefined ? null : JSON.stringify({ user: named.user }),
    });
    if (!isHold) return consume;
    const { purpose: _, occurredAtMs: __, ...use } = consume;
    return {
      ...use,
      kind: 'reserve',
      reservationId: this.#idOf(words[0] ?? ''),
      ttlMs: 1_000 * Number(named.for ?? '900'),
    };
  }

  /** A use, or a hold: first asked, then done. */
  async #call(request: ConsumeRequest | ReserveRequest, as: string | undefined): Promise<string> {
    const foretold = request.kind === 'consume' && request.purpose === 'record' ? null : await this.#foretold(request);
    const answer: Consumption | Holding | string = await this.rig.engine.execute(request).catch(codeOf);
    if (foretold !== null) expect(comparable(foretold)).toEqual(comparable(answer));
    if (typeof answer === 'string') return answer;
    if (!answer.allowed) await this.#expectNoChange(request);
    else if (as !== undefined) this.#named.set(as, answer.usage.sequence.toString());
    return spell(answer);
  }

  #foretold(request: ConsumeRequest | ReserveRequest): Promise<Consumption | Holding | string> {
    return this.rig.engine.check<ConsumeRequest | ReserveRequest>(request).catch(codeOf);
  }

  /** What was due is settled by now: asking once more writes nothing at all. */
  async #expectNoChange(request: Request): Promise<void> {
    if (request.idempotencyKey !== null) return; // its answer is remembered
    const before = await digestOf(this.rig.database);
    await this.rig.engine.execute(request);
    expect(await digestOf(this.rig.database)).toEqual(before);
  }

  async #spoken(request: Request, as?: string): Promise<string> {
    const answer = await this.rig.engine.execute(request);
    if (as !== undefined && 'usage' in answer) this.#named.set(as, answer.usage.sequence.toString());
    return spell(answer);
  }

  #from({ key }: Readonly<Record<string, string>>) {
    const { tenantId, customerId, referenceId } = this.rig.call('acme');
    return { tenantId, customerId, referenceId, idempotencyKey: key ?? null };
  }

  /** The id of a grant or hold by its name in this table. */
  #idOf(name: string): string {
    const id = this.#named.get(name) ?? randomUUID();
    this.#named.set(name, id);
    return id;
  }

  #nameOf(id: unknown): string {
    for (const [name, known] of this.#named) if (known === id) return name;
    return '?';
  }

  async #ask(verb: string, words: readonly string[], named: Readonly<Record<string, string>>): Promise<string> {
    const featureKey = named.of ?? this.#featureKey;
    switch (verb) {
      case 'usage':
        return spellUsage(await this.usage(featureKey));
      case 'cost':
        return formatUnits((await this.usage(featureKey)).estimatedCost?.amount ?? 0n);
      case 'period':
        return spellPeriod(await this.usage(featureKey));
      case 'wallet': {
        const [row] = await this.#rows('SELECT balance FROM wallets WHERE customer_id = $1');
        return row?.balance == null ? 'none' : decimal(row.balance);
      }
      case 'top-ups': {
        const rows = await this.#rows(
          'SELECT state, amount FROM top_up_requests WHERE customer_id = $1 ORDER BY sequence',
        );
        return rows.map(({ state, amount }) => `${state} ${decimal(amount)}`).join(', ') || 'none';
      }
      case 'grants': {
        const rows = await this.#rows(
          'SELECT id, source, rolled_over, remaining, state FROM grants WHERE customer_id = $1 AND feature_key = $2 ORDER BY priority, expires_at, created_at, id',
          featureKey,
        );
        return rows.map((row) => `${this.#titleOf(row)} ${decimal(row.remaining)} ${row.state}`).join(', ') || 'none';
      }
      case 'drawn': {
        const rows = await this.#rows(
          `SELECT grant_id AS id, sum(amount) AS units FROM postings
            WHERE customer_id = $1 AND sequence = $2 AND account = 'usage' AND grant_id IS NOT NULL GROUP BY grant_id ORDER BY min(line)`,
          this.#named.get(words[0] ?? '') ?? '0',
        );
        return rows.map(({ id, units }) => `${this.#nameOf(id)} ${decimal(units)}`).join(', ') || 'none';
      }
      case 'counters': {
        const rows = await this.#rows(
          `SELECT entity_id, period_start, used, closed_at, corrected_at FROM counters WHERE customer_id = $1 AND feature_key = $2
            ORDER BY period_start, entity_id`,
          featureKey,
        );
        return rows.map(spellCounter).join(', ') || 'none';
      }
      case 'alerts': {
        const rows = await this.#rows('SELECT threshold_key FROM alerts WHERE customer_id = $1 ORDER BY sequence');
        return rows.map(({ threshold_key }) => threshold_key).join(', ') || 'none';
      }
      default:
        throw new Error(`there is no command "${verb}"`);
    }
  }

  #rows(text: string, ...params: string[]) {
    return query(this.rig.database, text, this.customerId, ...params);
  }

  #titleOf({ id, source, rolled_over }: Readonly<Record<string, unknown>>): string {
    const name = this.#nameOf(id);
    return name === '?' ? `${source}${rolled_over === true ? ' rolled over' : ''}` : name;
  }

  /** The meter as queries tell it: always what the gate would go by. */
  async usage(featureKey = this.#featureKey): Promise<Usage> {
    const { database, tenantId, clock } = this.rig;
    const reader = new UsageReader(database, new Catalogs(), clock);
    const read = await reader.read(tenantId, [{ customerId: this.customerId, featureKeys: [featureKey] }]);
    const usage = read.get(this.customerId)?.meters[0]?.usage;
    if (!usage) throw new Error(`there is no meter of "${featureKey}"`);
    return usage;
  }

  /** Changes limits of the customer's own. */
  async limits(fields: LimitFields, featureKey = this.#featureKey): Promise<void> {
    await setCustomerLimits(this.deps, this.rig.tenantId, {
      referenceId: 'acme',
      limits: [{ featureKey, fields }],
    });
  }
}

function parse(line: string): Command {
  const [verb = '', ...rest] = line.split(' ');
  const isNamed = (word: string): boolean => /^[a-z]+=/.test(word);
  const pairs = rest
    .filter(isNamed)
    .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1).replaceAll('_', ' ')]);
  return { verb, words: rest.filter((word) => !isNamed(word)), named: Object.fromEntries(pairs) };
}

const modeOf = (word = 'REJECT') => word as ConsumeRequest['mode']; // tests write modes right
const msOf = (iso: string | undefined): number | null => (iso === undefined ? null : Date.parse(iso));

/** `reset`, `add`, or the most that rolls over. */
function renewalOf(word = 'reset') {
  if (word === 'reset' || word === 'add') return word;
  return { max: unitsOf(word), maxFraction: null, expiresAfter: null };
}

const codeOf = (error: unknown): string => {
  if (error instanceof MeterError) return error.code;
  throw error;
};

/** An answer without what only doing it gives: a sequence, alerts that were stored. */
function comparable(answer: Consumption | Holding | string): unknown {
  if (typeof answer === 'string') return answer;
  const { alerts: _, usage, ...rest } = { alerts: [], ...answer };
  return { ...rest, usage: { ...usage, sequence: 0n } };
}

export function spell(answer: Result): string {
  switch (answer.kind) {
    case 'consumption': {
      if (!answer.allowed) return answer.denial?.reason ?? '?';
      const alerts = answer.alerts.map(({ mark }) => `! ${mark}`);
      return [spellSplit(answer.split), ...alerts, ...(answer.replayed ? ['again'] : [])].join(' ');
    }
    case 'holding':
      if (!answer.allowed) return answer.denial?.reason ?? '?';
      return `${answer.reservation?.state} ${spellSplit(answer.split)}${answer.replayed ? ' again' : ''}`;
    case 'granted':
      return `${formatUnits(answer.grant.remaining)} ${answer.grant.state}${answer.replayed ? ' again' : ''}`;
    case 'wallet':
      return `${formatUnits(answer.wallet.balance)}${answer.replayed ? ' again' : ''}`;
    case 'restarted':
      return `${spellUsage(answer.usage)}${answer.replayed ? ' again' : ''}`;
    case 'settled':
      return 'done';
  }
}

/** `1 included + 2 credits + 3 wallet (30) + 4 overage (40)`, without what is 0. */
function spellSplit({ included, credits, wallet, overage, walletCharge, overageCost }: Split): string {
  const parts = [
    included === 0n ? null : `${formatUnits(included)} included`,
    credits === 0n ? null : `${formatUnits(credits)} credits`,
    wallet === 0n && walletCharge.amount === 0n
      ? null
      : `${formatUnits(wallet)} wallet (${formatUnits(walletCharge.amount)})`,
    overage === 0n && overageCost.amount === 0n
      ? null
      : `${formatUnits(overage)} overage (${formatUnits(overageCost.amount)})`,
  ];
  return parts.filter((part) => part !== null).join(' + ') || 'nothing';
}

/** `5 used, 3 held, 2 left, 4 credits, 100 in wallet`, without what is 0 or not there. */
function spellUsage({ used, reserved, remaining, credits, wallet, overage }: Usage): string {
  const parts = [
    `${formatUnits(used)} used`,
    reserved === 0n ? null : `${formatUnits(reserved)} held`,
    remaining === null ? null : `${formatUnits(remaining)} left`,
    credits === 0n ? null : `${formatUnits(credits)} credits`,
    overage === 0n ? null : `${formatUnits(overage)} overage`,
    wallet === null ? null : `${formatUnits(wallet.amount)} in wallet`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

const spellPeriod = ({ period: { startMs, endMs } }: Usage): string =>
  `${short(startMs)}/${endMs === null ? '' : short(endMs)}`;
const short = (ms: number): string =>
  new Date(ms)
    .toISOString()
    .replace(/:00\.000Z$/, 'Z')
    .replace('T00:00Z', '');

function spellCounter({
  entity_id,
  period_start,
  used,
  closed_at,
  corrected_at,
}: Readonly<Record<string, unknown>>): string {
  const entity = entity_id === '' ? '' : ` ${entity_id}`;
  const state = corrected_at !== null ? ' corrected' : closed_at !== null ? ' closed' : '';
  return `${short((period_start as Date).getTime())}${entity} ${decimal(used)}${state}`; // a timestamp is a Date: see Row
}

const decimal = (value: unknown): string => formatUnits(unitsOf(String(value)));
