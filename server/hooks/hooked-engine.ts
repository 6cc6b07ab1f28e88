/**
 * hooked-engine — the engine as callers see it: whoever calls is authorized first, the app is asked before a call joins
 * its batch, and told of it afterwards. Without hooks every call goes straight through.
 */

import { DURATION_UNITS, durationToUnits } from '../domain/duration.ts';
import { MeterError } from '../domain/errors.ts';
import type { HookRequest } from '../domain/hook.ts';
import type { CustomerMeters, MeterSelection } from '../domain/meters.ts';
import type { Usage } from '../domain/usage.ts';
import type { ApiKeyViewer, Viewer } from '../domain/viewer.ts';
import type { Engine } from '../metering/engine.ts';
import type { ConsumeRequest, Consumption, Request, ReserveRequest, Result, ResultOf } from '../metering/requests.ts';
import type { AfterCalls } from './after.ts';
import type { Authorize } from './authorize.ts';
import type { AskBefore } from './before.ts';

/** Calls that wait for hooks at most; beyond it callers hear `OVERLOADED`. */
const ASKING_MAX = 20_000;

export type HookedEngineDeps = {
  readonly engine: Pick<Engine, 'consume' | 'consumeMany' | 'check' | 'execute' | 'drain' | 'queueLength'>;
  /** Meters as last committed. */
  readonly readMeters: (
    tenantId: string,
    of: readonly MeterSelection[],
  ) => Promise<ReadonlyMap<string, CustomerMeters>>;
  readonly before: AskBefore | null;
  readonly authorize: Authorize | null;
  readonly after: AfterCalls | null;
};

/** The calls that answer with a denial, and so can carry a refusal. */
type Refusable = ConsumeRequest | ReserveRequest;

const isRefusable = (request: Request): request is Refusable =>
  request.kind === 'consume' || request.kind === 'reserve';

/** Calls that wait for hooks, of all callers together. */
type Asking = { count: number };

export class HookedEngine {
  readonly #deps: HookedEngineDeps;
  readonly #caller: ApiKeyViewer | null;
  readonly #asking: Asking;
  /** Nobody is to be asked or told: calls go straight through. */
  readonly #isBare: boolean;

  /** @param caller Whom to authorize; null for the gateway itself. */
  constructor(deps: HookedEngineDeps, caller: ApiKeyViewer | null = null, asking: Asking = { count: 0 }) {
    this.#deps = deps;
    this.#caller = caller;
    this.#asking = asking;
    this.#isBare = deps.before === null && deps.authorize === null && deps.after === null;
  }

  /** The same engine, for one caller. A customer acts for itself alone, so it needs no authorization. */
  onBehalfOf(viewer: Viewer | null): HookedEngine {
    if (this.#deps.authorize === null || viewer?.kind !== 'api-key') return this;
    return new HookedEngine(this.#deps, viewer, this.#asking);
  }

  get queueLength(): number {
    return this.#deps.engine.queueLength;
  }

  /** As `Engine.consume`. */
  consume(request: ConsumeRequest): Promise<Consumption> {
    return this.execute(request);
  }

  /** As `Engine.consumeMany`; the calls are asked about together, so they stay in order. */
  async consumeMany(requests: readonly ConsumeRequest[]): Promise<PromiseSettledResult<Consumption>[]> {
    const asked = await this.#ask(requests);
    const settled = await this.#deps.engine.consumeMany(asked);
    for (const [i, result] of settled.entries()) {
      if (result.status === 'fulfilled') this.#tell(asked[i], result.value);
    }
    return settled;
  }

  /** As `Engine.check`: the app is asked the same, and told nothing. */
  async check<R extends Refusable>(request: R): Promise<ResultOf<R>> {
    const [asked = request] = await this.#ask([request]);
    return this.#deps.engine.check(asked);
  }

  /** As `Engine.execute`. @throws {MeterError} also `FORBIDDEN`, for calls that answer with no denial. */
  execute<R extends Request>(request: R): Promise<ResultOf<R>> {
    return this.#isBare ? this.#deps.engine.execute(request) : this.#executeHooked(request);
  }

  async #executeHooked<R extends Request>(request: R): Promise<ResultOf<R>> {
    const [asked = request] = await this.#ask([request]);
    const result = await this.#deps.engine.execute(asked);
    this.#tell(asked, result);
    return result;
  }

  /** Takes no more calls, and returns when those it has are answered and told, or have had their time. */
  async drain(): Promise<void> {
    await this.#deps.engine.drain();
    await this.#deps.after?.drain();
  }

  /** The calls with what the app's functions make of them. */
  async #ask<R extends Request>(requests: readonly R[]): Promise<readonly R[]> {
    const { authorize, before } = this.#deps;
    if ((authorize === null || this.#caller === null) && before === null) return requests;
    this.#admit(requests.length);
    this.#asking.count += requests.length;
    try {
      return await this.#askBefore(await this.#authorizeAll(requests));
    } finally {
      this.#asking.count -= requests.length;
    }
  }

  #admit(count: number): void {
    const waiting = this.#asking.count;
    if (waiting + count <= ASKING_MAX) return;
    const sentence = `${waiting} calls are waiting for the app's hooks and at most ${ASKING_MAX} may`;
    throw new MeterError('OVERLOADED', `${sentence}; nothing was written, send the call again shortly.`);
  }

  /** @throws {MeterError} `FORBIDDEN` for a call that can carry no refusal. */
  async #authorizeAll<R extends Request>(requests: readonly R[]): Promise<readonly R[]> {
    const { authorize } = this.#deps;
    const caller = this.#caller;
    if (caller === null || authorize === null) return requests;
    const references = [...new Set(requests.map(({ referenceId }) => referenceId))];
    const answers = await Promise.all(references.map((referenceId) => authorize(caller, referenceId)));
    const refusals = new Map(references.map((referenceId, i) => [referenceId, answers[i] ?? null]));
    return requests.map((request) => {
      const refusal = refusals.get(request.referenceId) ?? null;
      if (refusal === null) return request;
      if (isRefusable(request)) return { ...request, refusal };
      throw new MeterError('FORBIDDEN', refusal.message);
    });
  }

  async #askBefore<R extends Request>(requests: readonly R[]): Promise<readonly R[]> {
    const { before } = this.#deps;
    const open: readonly Request[] = requests.filter((request) => isRefusable(request) && request.refusal === null);
    if (before === null || open.length === 0) return requests;
    const usages = await this.#usagesOf(open.filter(isRefusable));
    return Promise.all(
      requests.map(async (request): Promise<R> => {
        if (!isRefusable(request) || request.refusal !== null) return request;
        const usage = usages.get(meterName(request)) ?? null;
        const asked = usage && hookRequestOf(request, usage);
        const refusal = asked && (await before({ request: asked, usage }));
        return refusal ? { ...request, refusal } : request;
      }),
    );
  }

  /** The meters that calls are about, as last committed: one reading a tenant. */
  async #usagesOf(requests: readonly Refusable[]): Promise<ReadonlyMap<string, Usage>> {
    const usages = new Map<string, Usage>();
    for (const [tenantId, ofTenant] of groupedBy(requests, (request) => request.tenantId)) {
      const byCustomer = groupedBy(ofTenant, ({ customerId }) => customerId);
      const selections = [...byCustomer].map(([customerId, calls]) => ({
        customerId,
        featureKeys: [...new Set(calls.map(({ featureKey }) => featureKey))],
      }));
      for (const { customerId, meters } of (await this.#deps.readMeters(tenantId, selections)).values()) {
        for (const { usage } of meters) usages.set(meterName({ customerId, featureKey: usage.feature.key }), usage);
      }
    }
    return usages;
  }

  #tell(request: Request | undefined, result: Result): void {
    if (this.#deps.after === null || request === undefined) return;
    if (result.kind !== 'consumption' || !result.allowed || result.replayed) return;
    const { usage, amount, split } = result;
    const { entityId, properties } = request.kind === 'consume' ? request : NOTHING_SAID;
    this.#deps.after.tell({ usage, amount, split, entityId, properties, idempotencyKey: request.idempotencyKey });
  }
}

const NOTHING_SAID = { entityId: null, properties: null };

function groupedBy<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

const meterName = ({ customerId, featureKey }: { readonly customerId: string; readonly featureKey: string }): string =>
  `${customerId}\n${featureKey}`;

/** Null for a duration that makes no sense for the feature: the engine says so. */
function hookRequestOf(request: Refusable, { feature }: Usage): HookRequest | null {
  const { entityId, properties, idempotencyKey, duration } = request;
  const unit = DURATION_UNITS.find((word) => word === feature.unit);
  const measured = duration === null ? null : unit === undefined ? undefined : durationToUnits(duration, unit);
  if (measured === undefined || measured?.ok === false) return null;
  const purpose = request.kind === 'reserve' ? 'hold' : request.purpose;
  return { purpose, amount: measured?.units ?? request.amount, entityId, properties, idempotencyKey };
}
