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
import { beforeAll, expect, it } from 'vitest';
import type { Deps } from '../../server/actions/deps.ts';
import { registerCustomer } from '../../server/actions/register-customer.ts';
import { savePlan } from '../../server/actions/save-plan.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import { setCustomerPlan } from '../../server/actions/set-customer-plan.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import type { PlanDefinition } from '../../server/domain/definitions.ts';
import { MeterError } from '../../server/domain/errors.ts';
import type { Feature, LimitFields } from '../../server/domain/feature.ts';
import type { PlanChange } from '../../server/domain/plan-change.ts';
import type { Price } from '../../server/domain/price.ts';
import { unitsOf } from '../../server/domain/units.ts';
import type { Usage } from '../../server/domain/usage.ts';
import type { ConsumeRequest, Consumption, Holding, Request, ReserveRequest } from '../../server/metering/requests.ts';
import { settlerOf } from '../../server/metering/settler.ts';
import { UsageReader } from '../../server/metering/usage-reader.ts';
import { describeEngines } from '../support/engines.ts';
import { expectConsistent } from './promises.ts';
import { digestOf } from './recorded.ts';
import { openRig, type Rig, saveFeature } from './rig.ts';
import { spell } from './scene-answers.ts';
import { type Command, isUse, Names, parse, requestOf, useOf } from './scene-commands.ts';
import { answerTo } from './scene-questions.ts';

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

export class Scene {
  readonly rig: Rig;
  readonly deps: Deps;
  /** What commands are about that name no other feature. */
  readonly featureKey: string;
  readonly names = new Names();

  constructor(rig: Rig, deps: Deps, featureKey: string) {
    this.rig = rig;
    this.deps = deps;
    this.featureKey = featureKey;
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

  async #do(command: Command): Promise<string> {
    const { verb, words, named } = command;
    const [first = '', second] = words;
    if (isUse(verb)) return this.#call(this.requestOf(verb, words, named), named.as);
    const request = requestOf(this, command);
    if (request !== null) return this.#spoken(request, named.as);
    switch (verb) {
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
        return answerTo(this, command);
    }
  }

  /** The request that a command of use makes. */
  requestOf(verb: string, words: readonly string[], named: Command['named']): ConsumeRequest | ReserveRequest {
    return useOf(this, { verb, words, named });
  }

  /** A use, or a hold: first asked, then done. */
  async #call(request: ConsumeRequest | ReserveRequest, as: string | undefined): Promise<string> {
    const foretold = request.kind === 'consume' && request.purpose === 'record' ? null : await this.#foretold(request);
    const answer: Consumption | Holding | string = await this.rig.engine.execute(request).catch(codeOf);
    if (foretold !== null) expect(comparable(foretold)).toEqual(comparable(answer));
    if (typeof answer === 'string') return answer;
    if (!answer.allowed) await this.#expectNoChange(request);
    else if (as !== undefined) this.names.set(as, answer.usage.sequence.toString());
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
    if (as !== undefined && 'usage' in answer) this.names.set(as, answer.usage.sequence.toString());
    return spell(answer);
  }

  /** The meter as queries tell it: always what the gate would go by. */
  async usage(featureKey = this.featureKey): Promise<Usage> {
    const { database, tenantId, clock } = this.rig;
    const reader = new UsageReader(database, new Catalogs(), clock);
    const read = await reader.read(tenantId, [{ customerId: this.customerId, featureKeys: [featureKey] }]);
    const usage = read.get(this.customerId)?.meters[0]?.usage;
    if (!usage) throw new Error(`there is no meter of "${featureKey}"`);
    return usage;
  }

  /** Changes limits of the customer's own. */
  async limits(fields: LimitFields, featureKey = this.featureKey): Promise<void> {
    await setCustomerLimits(this.deps, this.rig.tenantId, {
      referenceId: 'acme',
      limits: [{ featureKey, fields }],
    });
  }
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
