/**
 * engine-subject — the real engine on a real database, as a life that the model can be compared with.
 *
 * Two gateways take turns, each with a memory of its own: what one remembers, the other has changed.
 */
import { randomUUID } from 'node:crypto';
import { registerCustomer } from '../../server/actions/register-customer.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import { setCustomerPlan } from '../../server/actions/set-customer-plan.ts';
import { syncConfig } from '../../server/actions/sync-config.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import { MeterError } from '../../server/domain/errors.ts';
import { thresholdKey } from '../../server/domain/threshold.ts';
import type { Usage } from '../../server/domain/usage.ts';
import { Engine } from '../../server/metering/engine.ts';
import { Ledger } from '../../server/metering/ledger.ts';
import { Memory } from '../../server/metering/memory.ts';
import type { Result } from '../../server/metering/requests.ts';
import { settlerOf } from '../../server/metering/settler.ts';
import type { ManualClock } from '../support/clock.ts';
import { CATALOG } from './catalog.ts';
import type { Heard, Subject } from './life.ts';
import { decimal, instant, refusedWith, spellSplit, type Told } from './told.ts';

/** So many calls one gateway takes before it is the other's turn: it uses what it remembers, and finds it changed. */
const IN_A_ROW = 4;

export type EngineSubject = Subject & { readonly tenantId: string };

/** A new tenant with the model's catalog. Its lives come one after the other, each with customers of its own. */
export async function engineSubject(database: Database, clock: ManualClock): Promise<EngineSubject> {
  const tenantId = randomUUID();
  await database.query({
    text: `INSERT INTO tenants (id, name, mode) VALUES ($1, 'Modelled', 'live')`,
    params: [tenantId],
  });
  const announce = (): void => {};
  await syncConfig({ database, clock, announce }, tenantId, CATALOG);
  let engines = [newEngine(database, clock), newEngine(database, clock)] as const;
  let turn = 0;
  let asked = 0;
  let waiting = 0;
  const ask = async <T>(question: (engine: Engine) => Promise<T>): Promise<T> => {
    // The other's turn begins when everybody has heard: who asks two at once can't know which of them comes first.
    if (waiting === 0 && asked >= IN_A_ROW) [turn, asked] = [1 - turn, 0];
    asked += 1;
    waiting += 1;
    try {
      return await question(engines[turn] ?? engines[0]);
    } finally {
      waiting -= 1;
    }
  };
  const settle = settlerOf({ execute: (request) => ask((engine) => engine.execute(request)) });
  const deps = { database, clock, announce, settle, catalogs: new Catalogs(), tokenSecret: new Uint8Array() };
  return {
    tenantId,
    execute: (request) => heardOf(ask((engine) => engine.execute(request))),
    check: async (request) => (await heardOf(ask((engine) => engine.check(request)))).told,
    register: async (customer) => {
      await registerCustomer(deps, tenantId, customer, { mayChangePlan: true });
    },
    setPlan: async (referenceId, planKey, effective) => {
      await setCustomerPlan(deps, tenantId, { referenceId, planKey, effective });
    },
    setLimits: async (referenceId, featureKey, fields) => {
      await setCustomerLimits(deps, tenantId, { referenceId, limits: [{ featureKey, fields }] });
    },
    crash: async () => {
      engines = [newEngine(database, clock), newEngine(database, clock)];
    },
  };
}

function newEngine(database: Database, clock: ManualClock): Engine {
  const ledger = new Ledger({
    database,
    clock,
    catalogs: new Catalogs(),
    onCommitted: () => {},
    hintOf: () => null,
    memory: new Memory({ contestedMs: 1 }), // else it would soon remember nobody
  });
  const onUnreachable = (cause: unknown): never => {
    throw cause;
  };
  return new Engine({ ledger, clock, onUnreachable }, { deadlineMs: 60_000 });
}

async function heardOf(answer: Promise<Result>): Promise<Heard> {
  try {
    const result = await answer;
    const sequence = 'usage' in result ? result.usage.sequence : null;
    return { told: toldOf(result), sequence };
  } catch (error) {
    if (error instanceof MeterError) return { told: refusedWith(error.code), sequence: null };
    return { told: refusedWith(`bug: ${error instanceof Error ? error.stack : error}`), sequence: null };
  }
}

/** An engine's answer in the words of the model's. */
function toldOf(result: Result): Told {
  switch (result.kind) {
    case 'consumption':
      return {
        allowed: result.allowed,
        reason: result.denial?.reason ?? null,
        amount: decimal(result.amount),
        split: spellSplit(plainSplit(result.split)),
        alerts: result.alerts.map(({ threshold }) => thresholdKey(threshold)).join(', '),
        ...readingOf(result.usage),
        ...(result.replayed && { replayed: true }),
      };
    case 'holding':
      return {
        allowed: result.allowed,
        reason: result.denial?.reason ?? null,
        amount: decimal(result.reservation?.amount ?? null),
        state: result.reservation?.state ?? null,
        split: spellSplit(plainSplit(result.split)),
        ...readingOf(result.usage),
        ...(result.replayed && { replayed: true }),
      };
    case 'granted':
      return {
        granted: decimal(result.grant.amount),
        left: decimal(result.grant.remaining),
        renewsAt: instant(result.grant.renewsAtMs),
        ...readingOf(result.usage),
        ...(result.replayed && { replayed: true }),
      };
    case 'wallet':
      return { wallet: decimal(result.wallet.balance), ...(result.replayed && { replayed: true }) };
    case 'restarted':
      return { ...readingOf(result.usage), ...(result.replayed && { replayed: true }) };
    case 'settled':
      return {};
  }
}

type EngineSplit = Extract<Result, { kind: 'consumption' }>['split'];
const plainSplit = (split: EngineSplit) => ({
  ...split,
  walletCharge: split.walletCharge.amount,
  overageCost: split.overageCost.amount,
});

const readingOf = (usage: Usage): Told => ({
  plan: usage.planKey,
  used: decimal(usage.used),
  held: decimal(usage.reserved),
  limit: decimal(usage.policy.limit),
  remaining: decimal(usage.remaining),
  credits: decimal(usage.credits),
  wallet: usage.wallet && decimal(usage.wallet.amount),
  overage: decimal(usage.overage),
  estimatedCost: usage.estimatedCost && decimal(usage.estimatedCost.amount),
  since: instant(usage.period.startMs),
  until: instant(usage.period.endMs),
});
