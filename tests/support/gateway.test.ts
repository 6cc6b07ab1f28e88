/** Goal: the gateway that other tests stand on is a whole one: both doors, two at once, a clock that moves. */
import { expect, it } from 'vitest';
import { openPostgres } from '../../server/db/postgres.ts';
import { ManualClock } from './clock.ts';
import { describeEngines, migrated } from './engines.ts';
import { ADMIN_KEY, startGateway } from './gateway.ts';
import { createDatabase, describePostgres } from './postgres.ts';

const REGISTER = 'mutation { registerCustomer(input: { referenceId: "acme" }) { __typename } }';
const CONSUME = `mutation { consume(input: { referenceId: "acme", featureKey: "api_calls" }) {
  ... on Consumption { allowed usage { used period { start } } }
} }`;

describeEngines('a gateway of the tests', (engine) => {
  it('answers over HTTP and WebSocket, at the time it is given', async () => {
    const clock = new ManualClock('2026-03-15T12:00:00Z');
    const gateway = await startGateway({ database: await engine.open({ until: 'test' }), clock });
    expect(await gateway.data(REGISTER)).toEqual({ registerCustomer: { __typename: 'Customer' } });
    clock.set('2026-04-01T00:00:00Z');
    expect(await gateway.data(CONSUME)).toEqual({
      consume: { allowed: true, usage: { used: '1', period: { start: '2026-04-01T00:00:00.000Z' } } },
    });
    const socket = await gateway.openWs(ADMIN_KEY);
    socket.subscribe('1', 'subscription { usageChanged(referenceId: "acme") { __typename } }');
    expect(await socket.waitForNext('1')).toEqual({ data: { usageChanged: { __typename: 'UsageSnapshot' } } });
    await gateway.close();
    expect(await socket.waitForClose()).toMatchObject({ code: expect.any(Number) });
  });

  it('knows nobody without a key', async () => {
    const gateway = await startGateway({ database: await engine.open({ until: 'test' }) });
    const { errors } = await gateway.as(undefined).post(REGISTER);
    expect(errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
  });
});

describePostgres('two gateways', () => {
  it('count on one database', async () => {
    const { url } = await createDatabase({ template: migrated });
    const open = () => openPostgres({ url, poolSize: 2, statementTimeoutMs: 10_000 });
    const clock = new ManualClock();
    const [one, other] = [
      await startGateway({ database: open(), clock }),
      await startGateway({ database: open(), clock }),
    ];
    await one.data(REGISTER);
    await one.data(CONSUME);
    expect(await other.data(CONSUME)).toMatchObject({ consume: { usage: { used: '2' } } });
    await Promise.all(
      [one, other].map(async (gateway) => {
        await gateway.close();
        await gateway.database.close();
      }),
    );
  });
});
