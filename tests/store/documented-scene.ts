/**
 * documented-scene — a scene as the docs play it: set up by a config as a user writes it, and with a few more commands, for
 * what a page tells beyond a single meter.
 */
import { invoicePreview } from '../../server/actions/invoice-preview.ts';
import { savePlan } from '../../server/actions/save-plan.ts';
import type { Database } from '../../server/db/client.ts';
import { loadCatalog } from '../../server/db/queries/catalog.ts';
import { customersById } from '../../server/db/queries/customers.ts';
import { type Customer, currentPlanOf, pendingPlanOf } from '../../server/domain/customer.ts';
import { featureOf } from '../../server/domain/definitions.ts';
import { MeterError } from '../../server/domain/errors.ts';
import type { InvoiceLine, InvoicePart } from '../../server/domain/invoice.ts';
import { formatUnits } from '../../server/domain/units.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { type Cases, objectOf } from '../support/worked-examples.ts';
import { limitsOf } from './documented-config.ts';
import { openScene, type Scene } from './scene.ts';

/** One customer under a documented config. */
export class DocumentedScene {
  readonly #scene: Scene;
  readonly #config: Cases['config'];

  private constructor(scene: Scene, config: Cases['config']) {
    this.#scene = scene;
    this.#config = config;
  }

  /** @throws {ConfigError} for a config that would be refused at start. */
  static async open(database: Database, { config, options }: Pick<Cases, 'config' | 'options'>) {
    const { features, plans, defaultPlanKey } = parseConfig(config, 'the example').definition;
    const scene = await openScene(database, {
      features: Object.fromEntries(features.map((feature) => [feature.key, featureOf('', feature)])),
      plans: Object.fromEntries(plans.map(({ key, ...plan }) => [key, plan])),
      ...(defaultPlanKey !== null && { plan: defaultPlanKey }),
      ...(options.timeZone !== undefined && { timeZone: options.timeZone }),
      ...(options.since !== undefined && { since: options.since }),
    });
    return new DocumentedScene(scene, config);
  }

  get customerId(): string {
    return this.#scene.customerId;
  }

  get tenantId(): string {
    return this.#scene.rig.tenantId;
  }

  async tell(line: string): Promise<string> {
    const [verb = '', ...words] = line.split(' ');
    const rest = words.join(' ');
    try {
      switch (verb) {
        case 'customer':
          return spellPlan(await this.#customerOfNow());
        case 'invoice':
          return (await this.#invoice()).map(spellPart).join('; ') || 'nothing';
        case 'own':
          await this.#scene.limits(limitsOf(objectOf(rest)));
          return 'done';
        case 'save':
          return await this.#save(words[0] ?? '', words.slice(1).join(' '));
        case 'entitled':
          return await this.#entitled(rest);
        default:
          return await this.#scene.tell(line);
      }
    } catch (error) {
      if (error instanceof MeterError) return error.code;
      throw error;
    }
  }

  async #customer(): Promise<Customer> {
    const { rig, deps, customerId } = this.#scene;
    const [customer] = await customersById(deps.database.db, rig.tenantId, [customerId]);
    if (!customer) throw new Error('the customer is not registered');
    return customer;
  }

  async #customerOfNow(): Promise<Customer> {
    const customer = await this.#customer();
    const nowMs = this.#scene.rig.clock.now();
    return { ...customer, ...currentPlanOf(customer, nowMs), pendingPlan: pendingPlanOf(customer, nowMs) };
  }

  async #invoice(): Promise<readonly InvoicePart[]> {
    const { rig, deps } = this.#scene;
    const customer = await this.#customer();
    const catalog = await loadCatalog(deps.database.query, rig.tenantId);
    const usages = await Promise.all([...catalog.features.keys()].map((key) => this.#scene.usage(key)));
    const { parts } = await invoicePreview(deps, { customer, catalog, usages, isForecast: false });
    return parts;
  }

  /** Saves a plan of the config again, with other fields of `calls`; `existingCustomers` is the plan's. */
  async #save(key: string, said: string): Promise<string> {
    const { existingCustomers, ...calls } = objectOf(said);
    const { plans = {}, ...rest } = this.#config as { readonly plans?: Readonly<Record<string, object>> }; // a config's shape
    const changed = {
      ...plans[key],
      features: { calls },
      ...(existingCustomers !== undefined && { existingCustomers }),
    };
    const { definition } = parseConfig({ ...rest, plans: { ...plans, [key]: changed } }, 'the example');
    const plan = definition.plans.find((one) => one.key === key);
    if (!plan) throw new Error(`there is no plan "${key}"`);
    const { version } = await savePlan(this.#scene.deps, this.tenantId, plan);
    return `${key} ${version}`;
  }

  async #entitled(featureKey: string): Promise<string> {
    const { entitled, policy } = await this.#scene.usage(featureKey);
    return `${entitled ? 'yes' : 'no'}${policy.value === null ? '' : `, ${policy.value}`}`;
  }
}

/** `pro 1`, and what comes: `pro 1, free 1 from 2026-04-15`. */
function spellPlan({ planKey, planVersion, pendingPlan }: Customer): string {
  const pending = pendingPlan && `${pendingPlan.planKey} ${pendingPlan.planVersion} from ${day(pendingPlan.atMs)}`;
  return [`${planKey} ${planVersion}`, pending].filter((text) => text !== null).join(', ');
}

const day = (atMs: number): string =>
  new Date(atMs).toISOString().replace('T00:00:00.000Z', '').replace(':00.000Z', 'Z');

const spellPart = ({ lines, total, due }: InvoicePart): string =>
  [...lines.map(spellLine), `total ${formatUnits(total.amount)}`, `due ${formatUnits(due.amount)}`].join(', ');

const spellLine = ({ kind, quantity, unitAmount, amount }: InvoiceLine): string => {
  const times = unitAmount === null ? formatUnits(quantity) : `${formatUnits(quantity)} × ${formatUnits(unitAmount)}`;
  return kind === 'base' || kind === 'minimum'
    ? `${kind} ${formatUnits(amount.amount)}`
    : `${kind} ${times} = ${formatUnits(amount.amount)}`;
};
