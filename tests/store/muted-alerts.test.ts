/** Goal: a muted alert is a stored fact that nobody is told. Method: cross lines before, while and after it is quiet. */
import { expect, it } from 'vitest';
import { alertsAfter, alertsPage } from '../../server/db/queries/alerts.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { query, rigWith } from './rig.ts';

const everyUnit = [{ kind: 'every' as const, value: unitsOf('1') }];

describeEngines('a muted alert', (engine) => {
  it('is listed, answered to its caller, and told to nobody; later ones are told again', async () => {
    const database = await engine.open();
    const rig = await rigWith(database, { limit: null, thresholds: everyUnit });
    const { customerId, tenantId } = rig.call('acme');
    const mutes = [{ featureKey: 'calls', untilMs: rig.clock.now() + 1_000 }];
    await rig.engine.consume(rig.call('acme'));
    await query(
      database,
      'UPDATE customers SET mutes = $2::text::jsonb, revision = revision + 1 WHERE id = $1',
      customerId,
      JSON.stringify(mutes),
    );
    const quiet = await rig.engine.consume(rig.call('acme', { idempotencyKey: 'quiet' }));
    rig.clock.advance(1_000);
    await rig.engine.consume(rig.call('acme'));

    expect(quiet.alerts.map(({ mark }) => mark)).toEqual(['every:1#2']);
    const again = await rig.engine.consume(rig.call('acme', { idempotencyKey: 'quiet' }));
    expect(again.alerts.map(({ mark, mutedAtMs }) => [mark, mutedAtMs])).toEqual([
      ['every:1#2', rig.clock.now() - 1_000],
    ]);
    const told = ['every:1#1', 'every:1#3'];
    for (const of of [null, customerId]) {
      const position = { tenantId, customerId: of, sequence: 0n, eventSequence: 0n };
      expect((await alertsAfter(database.query, position, 10)).map(({ mark }) => mark)).toEqual(told);
    }
    expect(rig.committed.flatMap(({ alerts }) => alerts.map(({ mark }) => mark))).toEqual(told);
    const filter = { customerId, featureKeys: null };
    const { nodes } = await alertsPage(database.db, tenantId, filter, { after: null, first: 10 });
    expect(nodes.map(({ mark, mutedAtMs }) => [mark, mutedAtMs])).toEqual([
      ['every:1#3', null],
      ['every:1#2', rig.clock.now() - 1_000],
      ['every:1#1', null],
    ]);
  });
});
