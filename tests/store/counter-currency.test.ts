/**
 * Goal: what a period costs is in one currency, and the counter says which: whatever moved it, whatever else the customer
 * used since, whatever became of its events and its plan. Method: a customer whose plans charge in dollars, in euros and
 * nothing, in short commands; the counters, invoices and exports that come of it; on both databases.
 */
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { closedPeriodsOf } from '../../server/db/queries/closed-periods.ts';
import { usagePeriodsPage } from '../../server/db/queries/usage-periods.ts';
import type { PlanDefinition } from '../../server/domain/definitions.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import { formatUnits } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { makeInvoices, openInvoiced, told } from './invoicing.ts';
import { expectConsistent } from './promises.ts';
import { query, saveFeature } from './rig.ts';
import { perUnit, type Scene, type Setting, units } from './scene.ts';

const usd = { price: perUnit('10') };
const eur = { price: { ...perUnit('7'), currency: 'eur' } };
const plan = (calls: LimitFields): Omit<PlanDefinition, 'key'> => ({ features: new Map([['calls', calls]]) });

const setting = (features: Setting['features'] = { calls: {} }, limits: LimitFields = {}): Setting => ({
  features,
  plans: { usd: plan({ ...usd, ...limits }), eur: plan({ ...eur, ...limits }), free: plan(limits) },
  plan: 'usd',
  since: '2026-03-01T00:00:00Z',
});

type Row = readonly [
  title: string,
  setting: Setting,
  steps: readonly string[],
  counters: readonly string[],
  invoices: readonly string[],
];

const ROWS: readonly Row[] = [
  [
    'dollars, then euros: a period each',
    setting(),
    ['use 3', 'at 2026-03-11T00:00:00Z', 'plan eur immediately', 'use 2', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['2026-03-01 – 2026-03-11: 3 cost 30 usd', '2026-03-11 – 2026-04-01: 2 cost 14 eur'],
    ['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30', '2: 2026-03-01 – 2026-04-01, 14 eur: calls 2 × 7 = 14'],
  ],
  [
    'nothing was owed in dollars: the period goes on',
    setting({ calls: {} }, { included: units('5') }),
    ['use 5', 'at 2026-03-11T00:00:00Z', 'plan eur immediately', 'use 2', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['2026-03-01 – 2026-04-01: 7 cost 14 eur'],
    ['1: 2026-03-01 – 2026-04-01, 14 eur: calls 2 × 7 = 14'],
  ],
  [
    'all that was owed in dollars was taken back: the period goes on',
    setting(),
    [
      'use 3 as=it',
      'reverse it',
      'at 2026-03-11T00:00:00Z',
      'plan eur immediately',
      'use 2',
      'at 2026-04-01T01:00:00Z',
      'bill',
    ],
    ['2026-03-01 – 2026-04-01: 2 cost 14 eur'],
    ['1: 2026-03-01 – 2026-04-01, 14 eur: calls 2 × 7 = 14'],
  ],
  [
    'without a price, dollars stay dollars',
    setting(),
    ['use 3', 'at 2026-03-11T00:00:00Z', 'plan free immediately', 'use 2', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['2026-03-01 – 2026-04-01: 5 cost 30 usd'],
    ['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 = 30'],
  ],
  [
    'what a call takes back of dollars under another price goes back in dollars, by its share',
    setting(),
    [
      'use 3',
      'use 1 as=it',
      'at 2026-03-11T00:00:00Z',
      'plan eur immediately',
      'reverse it',
      'at 2026-04-01T01:00:00Z',
      'bill',
    ],
    ['2026-03-01 – 2026-03-11: 3 cost 30 usd', '2026-03-11 – 2026-04-01: 0 cost 0'],
    ['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30'],
  ],
  [
    'use that is told late of a period in dollars counts in the running one, in euros',
    setting(),
    [
      'use 3',
      'at 2026-03-11T00:00:00Z',
      'plan eur immediately',
      'record 2 at=2026-03-05T00:00:00Z',
      'at 2026-04-01T01:00:00Z',
      'bill',
    ],
    ['2026-03-01 – 2026-03-11: 3 cost 30 usd', '2026-03-11 – 2026-04-01: 2 cost 14 eur'],
    ['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30', '2: 2026-03-01 – 2026-04-01, 14 eur: calls 2 × 7 = 14'],
  ],
  [
    'use that is told late of a month in dollars that is over, too',
    setting(),
    [
      'use 3',
      'plan eur at_renewal',
      'at 2026-04-01T00:30:00Z',
      'record 2 at=2026-03-31T00:00:00Z',
      'at 2026-05-01T01:00:00Z',
      'bill',
    ],
    ['2026-03-01 – 2026-04-01: 3 cost 30 usd', '2026-04-01 – 2026-05-01: 2 cost 14 eur'],
    ['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30', '2: 2026-04-01 – 2026-05-01, 14 eur: calls 2 × 7 = 14'],
  ],
  [
    'a hold in dollars is used in dollars, and what is used beyond it in euros',
    setting(),
    [
      'at 2026-03-10T23:59:00Z',
      'reserve A 4 for=7200',
      'at 2026-03-11T00:00:00Z',
      'plan eur immediately',
      'commit A 6',
      'at 2026-04-01T01:00:00Z',
      'bill',
    ],
    ['2026-03-01 – 2026-03-11: 4 cost 40 usd', '2026-03-11 – 2026-04-01: 2 cost 14 eur'],
    ['1: 2026-03-01 – 2026-04-01, 40 usd: calls 4 × 10 = 40', '2: 2026-03-01 – 2026-04-01, 14 eur: calls 2 × 7 = 14'],
  ],
  [
    'what the wallet paid in dollars goes back into it',
    setting(),
    [
      'top-up 40',
      'use 3 as=it',
      'at 2026-03-11T00:00:00Z',
      'plan eur immediately',
      'reverse it',
      'at 2026-04-01T01:00:00Z',
      'bill',
    ],
    ['2026-03-01 – 2026-03-11: 0 cost 0', '2026-03-11 – 2026-04-01: 0 cost 0'],
    [],
  ],
  [
    'a level that was paid for in dollars is paid for in euros from the next month on',
    setting({ calls: { aggregation: 'latest' } }, { minLimit: 0n }),
    ['use 3', 'at 2026-03-11T00:00:00Z', 'plan eur immediately', 'use 4', 'at 2026-05-01T01:00:00Z', 'bill'],
    [
      '2026-03-01 – 2026-03-11: 3 cost 30 usd',
      '2026-03-11 – 2026-04-01: 4 cost 7 eur',
      '2026-04-01 – 2026-05-01: 4 cost 28 eur',
      '2026-05-01 – 2026-06-01: 4 cost 28 eur',
    ],
    [
      '1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30',
      '2: 2026-03-01 – 2026-04-01, 7 eur: calls 4 = 7',
      '3: 2026-04-01 – 2026-05-01, 28 eur: calls 4 × 7 = 28',
    ],
  ],
  [
    'there and back again',
    setting(),
    [
      'use 3',
      'at 2026-03-11T00:00:00Z',
      'plan eur immediately',
      'use 2',
      'at 2026-03-21T00:00:00Z',
      'plan usd immediately',
      'use 1',
      'at 2026-04-01T01:00:00Z',
      'bill',
    ],
    [
      '2026-03-01 – 2026-03-11: 3 cost 30 usd',
      '2026-03-11 – 2026-03-21: 2 cost 14 eur',
      '2026-03-21 – 2026-04-01: 1 cost 10 usd',
    ],
    [
      '1: 2026-03-01 – 2026-04-01, 40 usd: calls 3 × 10 = 30, calls 1 × 10 = 10',
      '2: 2026-03-01 – 2026-04-01, 14 eur: calls 2 × 7 = 14',
    ],
  ],
  [
    'calls that name a plan in euros for themselves',
    setting(),
    ['use 3', 'at 2026-03-11T00:00:00Z', 'use 2 plan=eur', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['2026-03-01 – 2026-03-11: 3 cost 30 usd', '2026-03-11 – 2026-04-01: 2 cost 14 eur'],
    ['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30', '2: 2026-03-01 – 2026-04-01, 14 eur: calls 2 = 14'],
  ],
];

describeEngines('the currency of a counter', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  const open = async (of: Setting = setting()): Promise<Scene> => {
    const scene = await openInvoiced(database, of);
    await makeInvoices(scene); // begins the tenant's book
    return scene;
  };

  const tell = async (scene: Scene, steps: readonly string[]): Promise<void> => {
    for (const step of steps) {
      if (step === 'bill') await makeInvoices(scene);
      else await scene.tell(step);
    }
  };

  const countersOf = async ({ customerId }: Scene): Promise<readonly string[]> => {
    const rows = await query(
      database,
      `SELECT to_char(period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ' – ' || to_char(period_end AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ': ' ||
         trim_scale(used) || ' cost ' || trim_scale(cost) || coalesce(' ' || currency, '') AS told
       FROM counters WHERE customer_id = $1 AND feature_key = 'calls' ORDER BY period_start`,
      customerId,
    );
    return rows.map((row) => String(row.told));
  };

  it.each(ROWS)('%s', async (_, of, steps, counters, invoices) => {
    const scene = await open(of);
    await tell(scene, steps);
    expect(await countersOf(scene)).toEqual(counters);
    expect(await told(scene)).toEqual(invoices);
    await expectConsistent(database);
  });

  it('is what the meter tells, and not the price of now', async () => {
    const scene = await open();
    await tell(scene, ['use 3', 'plan free immediately']);
    expect((await scene.usage()).estimatedCost).toEqual({ amount: units('30'), currency: 'usd' });
    const again = scene.rig.call('acme', { idempotencyKey: 'k' });
    const first = await scene.rig.engine.consume(again);
    expect(first.usage.estimatedCost).toEqual({ amount: units('30'), currency: 'usd' });
    expect((await scene.rig.engine.consume(again)).usage).toEqual(first.usage);
  });

  it('is there when the price of a feature is changed under all of its customers', async () => {
    const scene = await open({ ...setting({ calls: usd }), plan: undefined as never, plans: {} });
    await tell(scene, ['use 3', 'at 2026-03-11T00:00:00Z']);
    await saveFeature(scene.rig, 'calls', eur);
    expect((await scene.usage()).estimatedCost).toEqual({ amount: 0n, currency: 'eur' });
    await tell(scene, ['use 2', 'at 2026-04-01T01:00:00Z', 'settle']);
    expect(await countersOf(scene)).toEqual([
      '2026-03-01 – 2026-03-11: 3 cost 30 usd',
      '2026-03-11 – 2026-04-01: 2 cost 14 eur',
    ]);
  });

  it('outlives the events, and the plan', async () => {
    const scene = await open();
    await tell(scene, ['use 3', 'at 2026-03-20T00:00:00Z', 'plan eur at_renewal', 'at 2026-04-01T00:30:00Z', 'settle']);
    await query(database, 'DELETE FROM events WHERE customer_id = $1', scene.customerId);
    await tell(scene, ['at 2026-04-01T01:00:00Z', 'bill']);
    expect(await told(scene)).toEqual(['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30']);
    const gone = await open();
    await tell(gone, ['use 3', 'plan free immediately', 'at 2026-04-01T00:30:00Z', 'settle']);
    await query(database, 'DELETE FROM events WHERE customer_id = $1', gone.customerId);
    await tell(gone, ['at 2026-04-01T01:00:00Z', 'bill']);
    expect(await told(gone)).toEqual(['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 = 30']);
  });

  it('is told of what a hold has moved, whatever was used since of other features', async () => {
    const scene = await open(setting({ calls: {}, others: {} }));
    await query(database, 'UPDATE customers SET plan_key = NULL WHERE id = $1', scene.customerId);
    await saveFeature(scene.rig, 'calls', usd);
    await tell(scene, ['use 3']);
    for (let i = 0; i < 200; i += 1) await scene.tell('use 1 of=others');
    await tell(scene, ['reserve A 2 for=60', 'at 2026-04-01T00:00:00Z', 'settle']);
    const { tenantId } = scene.rig;
    const of = { tenantId, customerId: scene.customerId, featureKey: 'calls' };
    const page = await usagePeriodsPage(database.query, of, { first: 1, after: null });
    expect(page.nodes.map(({ cost, currency }) => [formatUnits(cost), currency])).toEqual([['30', 'usd']]);
    const filter = { tenantId, fromMs: null, toMs: null };
    const closed = await closedPeriodsOf(database.query, filter, [{ ...of, referenceId: 'acme' }], null, 10);
    const calls = closed.filter(({ featureKey }) => featureKey === 'calls');
    expect(calls.map(({ cost, currency }) => [formatUnits(cost), currency])).toEqual([['30', 'usd']]);
  });
});
