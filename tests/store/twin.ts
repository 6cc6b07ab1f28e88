/** twin — one of two tenants to which the same happens: a database of its own, a gateway, and others who change things. */
import { muteAlerts } from '../../server/actions/mute-alerts.ts';
import { registerCustomer } from '../../server/actions/register-customer.ts';
import { saveFeature } from '../../server/actions/save-feature.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import { setCustomerPlan } from '../../server/actions/set-customer-plan.ts';
import { syncConfig } from '../../server/actions/sync-config.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database, Row } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import type { CatalogDefinition } from '../../server/domain/definitions.ts';
import { MeterError } from '../../server/domain/errors.ts';
import type { Committed } from '../../server/events/committed.ts';
import { Memory } from '../../server/metering/memory.ts';
import type { ConsumeRequest, Request, ReserveRequest, Result } from '../../server/metering/requests.ts';
import { settlerOf } from '../../server/metering/settler.ts';
import { CATALOG, CUSTOMERS, definitionOf, PLANS } from '../model/catalog.ts';
import { ManualClock } from '../support/clock.ts';
import { addTenant, openRig, query, type Rig, type RigOptions } from './rig.ts';
import type { Call, Key, Scene, StepOf } from './twin-plots.ts';

/** What the config may say: all of it; another plan for everybody; a feature less. */
const CATALOGS: readonly CatalogDefinition[] = [
  CATALOG,
  {
    ...CATALOG,
    plans: PLANS.map((plan) => ({
      ...plan,
      existingCustomers: 'move',
      features: new Map([...plan.features].filter(([key]) => key !== 'calls')),
    })),
  },
  {
    ...CATALOG,
    features: CATALOG.features.filter(({ key }) => key !== 'volume'),
    plans: PLANS.map((plan) => ({
      ...plan,
      features: new Map([...plan.features].filter(([key]) => key !== 'volume')),
    })),
  },
];

/** Where a catalog is stored, and the column that says whose it is. */
const CATALOG_TABLES = [
  ['tenants', 'id'],
  ['features', 'tenant_id'],
  ['plans', 'tenant_id'],
  ['plan_versions', 'tenant_id'],
] as const;

/** Adds a tenant with the catalog of modelled lives, of which twins take copies: that is quicker than to write it anew. */
export async function addModel(database: Database): Promise<string> {
  const tenantId = await addTenant(database);
  await syncConfig({ database, clock: new ManualClock(), announce: () => {} }, tenantId, CATALOG);
  return tenantId;
}

const BEGIN = '2026-03-28T20:17:31.417Z';

export class Twin {
  readonly #gateway: Rig;
  readonly #another: Rig;
  /** What was sent, in order. */
  readonly #sent: Request[] = [];
  /** By customer: what was held and granted, oldest first, and the last sequence that was told. */
  readonly #holds = new Map<number, string[]>();
  readonly #grants = new Map<number, string[]>();
  readonly #sequences = new Map<number, bigint>();
  #ids = 0;

  private constructor(gateway: Rig, another: Rig) {
    this.#gateway = gateway;
    this.#another = another;
  }

  /**
   * @param like A tenant with the catalog of modelled lives: see `addModel`.
   * @param tenantId Twins have the same, so that all that is derived from it is the same.
   */
  static async begin(database: Database, like: string, tenantId: string, options: RigOptions): Promise<Twin> {
    for (const [table, id] of CATALOG_TABLES) {
      const text = `INSERT INTO ${table} SELECT (jsonb_populate_record(t, jsonb_build_object('${id}', $1::text))).* FROM ${table} t WHERE ${id} = $2`;
      await query(database, text, tenantId, like);
    }
    const gateway = await openRig(database, { ...options, tenantId });
    const twin = new Twin(gateway, await openRig(database, { tenantId, memory: new Memory({ sizeMax: 0 }) }));
    for (const { clock } of [twin.#gateway, twin.#another]) clock.set(BEGIN);
    for (const customer of CUSTOMERS) await registerCustomer(twin.#deps(), tenantId, customer, { mayChangePlan: true });
    return twin;
  }

  /** @returns all that was answered. */
  async live(scene: Scene): Promise<readonly Heard[]> {
    switch (scene.scene) {
      case 'calls':
        return this.#call(scene.through === 'gateway' ? this.#gateway : this.#another, scene.calls);
      case 'check':
        return [await heard(this.#gateway.engine.check(this.#checkOf(scene.step)))];
      case 'wait':
        for (const { clock } of [this.#gateway, this.#another]) clock.advance(scene.ms);
        return [];
      default:
        return [await heard(this.#change(scene).then(() => null))];
    }
  }

  /** What those who watch were told since the last time. */
  told(): readonly Committed[] {
    return this.#gateway.committed.splice(0);
  }

  /** Every row of the tenant, but for the numbers that tell one write of a row from another. */
  async rows(): Promise<readonly Row[]> {
    const { database, tenantId } = this.#gateway;
    const parts = TABLES.map(
      (table) =>
        `SELECT '${table}' AS table, (to_jsonb(t) - 'revision')::text AS row FROM ${table} t WHERE tenant_id = $1`,
    );
    return query(database, `${parts.join(' UNION ALL ')} ORDER BY 1, 2`, tenantId);
  }

  async #call({ engine }: Rig, calls: readonly Call[]): Promise<readonly Heard[]> {
    const requests = calls.flatMap((call) => this.#requestOf(call) ?? []);
    const answers = await Promise.all(requests.map((request) => heard(engine.execute(request))));
    for (const [i, request] of requests.entries()) this.#note(request, answers[i] ?? null);
    return answers;
  }

  #change(scene: Exclude<Scene, { scene: 'calls' | 'check' | 'wait' }>): Promise<unknown> {
    const deps = this.#deps();
    const { tenantId, clock } = this.#another;
    switch (scene.scene) {
      case 'change': {
        const { step } = scene;
        const referenceId = referenceOf(step.who);
        if (step.act === 'plan')
          return setCustomerPlan(deps, tenantId, { referenceId, planKey: step.plan, effective: step.effective });
        const limits = [{ featureKey: step.feature, fields: step.fields }];
        return setCustomerLimits(deps, tenantId, { referenceId, limits });
      }
      case 'mute': {
        const untilMs = scene.forMs === null ? null : clock.now() + scene.forMs;
        return muteAlerts(deps, tenantId, { referenceId: referenceOf(scene.who), featureKey: scene.feature, untilMs });
      }
      case 'zone': {
        const registration = { referenceId: referenceOf(scene.who), timeZone: scene.timeZone };
        return registerCustomer(deps, tenantId, registration, { mayChangePlan: true });
      }
      case 'feature':
        return saveFeature(deps, tenantId, { key: scene.feature, limit: scene.limit });
      case 'config':
        return syncConfig(deps, tenantId, CATALOGS[scene.catalog] ?? CATALOG);
    }
  }

  #deps() {
    const { database, clock, engine } = this.#another;
    const announce = (): void => {};
    return {
      database,
      clock,
      announce,
      catalogs: new Catalogs(),
      settle: settlerOf(engine),
      tokenSecret: new Uint8Array(),
    };
  }

  #requestOf(call: Call): Request | null {
    if ('again' in call) return this.#sent.at(-1 - call.again) ?? null;
    const request = this.#newRequest(call);
    this.#sent.push(request);
    return request;
  }

  #newRequest({ step, key, plan }: Exclude<Call, { again: number }>): Request {
    const from = { ...this.#from(step.who), idempotencyKey: this.#keyOf(key) };
    switch (step.act) {
      case 'consume':
        return { ...this.#useOf(step), ...from, overrideKey: plan };
      case 'record': {
        const occurredAtMs = step.agoMs === 0 ? null : this.#gateway.clock.now() - step.agoMs;
        return { ...this.#useOf(step), ...from, purpose: 'record', occurredAtMs };
      }
      case 'reserve':
        return { ...this.#reserveOf(step), ...from, overrideKey: plan };
      case 'commit':
        return {
          ...from,
          kind: 'commit',
          reservationId: nth(this.#holds.get(step.who), step.hold),
          amount: step.amount,
          mode: step.mode,
        };
      case 'release':
        return { ...from, kind: 'release', reservationId: nth(this.#holds.get(step.who), step.hold) };
      case 'grant': {
        const { feature: featureKey, amount, priority, inMs, forMs, recurring } = step;
        const fromMs = this.#gateway.clock.now() + (inMs ?? 0);
        return {
          ...from,
          kind: 'grant',
          grantId: this.#nextId(),
          source: 'purchase',
          featureKey,
          amount,
          priority,
          effectiveFromMs: inMs === null ? null : fromMs,
          expiresAtMs: forMs === null || recurring ? null : fromMs + forMs,
          recurring,
          settlesOverage: false,
        };
      }
      case 'void':
        return { ...from, kind: 'void-grant', grantId: nth(this.#grants.get(step.who), step.grant) };
      case 'top-up':
        return { ...from, kind: 'top-up', currency: 'usd', amount: step.amount };
      case 'reverse':
        return { ...from, kind: 'reverse', sequence: (this.#sequences.get(step.who) ?? 0n) - BigInt(step.event) };
      case 'reset':
        return { ...from, kind: 'reset', featureKey: step.feature };
      case 'settle':
        return { ...from, kind: 'settle' };
    }
  }

  #useOf({ who, feature, amount, mode, entity, user }: StepOf<'consume' | 'record' | 'reserve'>): ConsumeRequest {
    const { of } = definitionOf(feature);
    const properties = of ? JSON.stringify({ [of]: user }) : null;
    return this.#gateway.call(referenceOf(who), { featureKey: feature, amount, mode, entityId: entity, properties });
  }

  #reserveOf(step: StepOf<'reserve'>): ReserveRequest {
    const { purpose: _, occurredAtMs: __, ...use } = this.#useOf(step);
    return { ...use, kind: 'reserve', reservationId: this.#nextId(), ttlMs: step.ttlMs };
  }

  #checkOf(step: StepOf<'consume' | 'reserve'>): ConsumeRequest | ReserveRequest {
    return step.act === 'consume' ? this.#useOf(step) : this.#reserveOf(step);
  }

  #from(who: number) {
    const { tenantId } = this.#gateway;
    const referenceId = referenceOf(who);
    return { tenantId, referenceId, customerId: customerIdOf(tenantId, referenceId) };
  }

  #keyOf(key: Key): string | null {
    if (key === 'none') return null;
    return key === 'new' ? this.#nextId() : `key-${key}`;
  }

  /** What later calls may speak of. */
  #note(request: Request, answer: Heard): void {
    if (answer === null || 'code' in answer) return;
    const who = CUSTOMERS.findIndex(({ referenceId }) => referenceId === request.referenceId);
    if ('usage' in answer) this.#sequences.set(who, answer.usage.sequence);
    if (request.kind === 'reserve') this.#holds.set(who, [...(this.#holds.get(who) ?? []), request.reservationId]);
    if (request.kind === 'grant') this.#grants.set(who, [...(this.#grants.get(who) ?? []), request.grantId]);
  }

  /** A UUID that no other thing of this twin has, and the other twin's same thing has, too. */
  #nextId(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

/** A refusal is an answer, too; null is one of a change that was made. */
export type Heard = Result | { readonly code: string; readonly message: string } | null;

/** @throws what is no answer, but a bug. */
async function heard<T extends Result | null>(answer: Promise<T>): Promise<Heard> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MeterError) return { code: error.code, message: error.message };
    throw error;
  }
}

const referenceOf = (who: number): string => CUSTOMERS[who]?.referenceId ?? 'nobody';

const UNKNOWN = 'ffffffff-ffff-4fff-8fff-ffffffffffff';

/** Counted back from the newest, and from the newest again beyond the oldest. */
const nth = (ids: readonly string[] = [], back: number): string => ids.at(-1 - (back % ids.length)) ?? UNKNOWN;

/** All that the engine writes, of a tenant. */
const TABLES = [
  ...['customers', 'counters', 'events', 'answers', 'alerts', 'rollups', 'unique_values', 'plan_spans'],
  ...['grants', 'credit_balances', 'wallets', 'top_up_requests', 'reservations', 'postings'],
];
