/** Goal: what a batch writes after its first statement is never written without it. Method: each alone, and in its place. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { writeStatement } from '../../server/metering/store/columns.ts';
import { describeEngines } from '../support/engines.ts';
import { query } from './rig.ts';

describeEngines('a later statement of a batch', (engine) => {
  const valuesOf = (id: string) =>
    writeStatement(
      'unique_values',
      [id],
      [
        ['customer_id', 'uuid', (customerId) => customerId],
        ['tenant_id', 'uuid', (customerId) => customerId],
        ['feature_key', 'text', () => 'seats'],
        ['period_start', 'timestamptz', () => '2026-01-01T00:00:00.000Z'],
        ['value', 'text', () => 'ann'],
      ],
    );

  it('writes nothing on a connection where no transaction is', async () => {
    const database = await engine.open();
    const id = randomUUID();
    await database.query(valuesOf(id));
    expect(await query(database, 'SELECT FROM unique_values WHERE customer_id = $1', id)).toHaveLength(0);
  });

  it('writes in the transaction that has written before', async () => {
    const database = await engine.open();
    const id = randomUUID();
    const tenant = { text: "INSERT INTO tenants (id, name, mode) VALUES ($1, 'Acme Apps', 'live')", params: [id] };
    await database.lane.transact([], async () => [tenant, valuesOf(id)]);
    expect(await query(database, 'SELECT FROM unique_values WHERE customer_id = $1', id)).toHaveLength(1);
  });
});
