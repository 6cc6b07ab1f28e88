/** Goal: a bug of ours is told to the operator, and to nobody else. Method: a database that fails, on demand. */
import { beforeAll, describe, expect, it } from 'vitest';
import { bootstrap } from '../../server/actions/bootstrap.ts';
import type { Database } from '../../server/db/client.ts';
import { Gateway } from '../../server/gateway.ts';
import { createLogger } from '../../server/logger.ts';
import { afterUse } from '../support/after-use.ts';
import { ManualClock } from '../support/clock.ts';
import { openEmbedded } from '../support/engines.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { httpClient } from '../support/http-client.ts';
import { openWs } from '../support/ws-client.ts';
import { CONSUME, use, WATCH } from './rig.ts';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl';
/** As a driver would say it, with all that it was handed. */
const BUG = `relation "hidden_table" does not exist, near SELECT * FROM hidden_table WHERE key = $1: ${ADMIN_KEY}, ${TOKEN}`;

let url: string;
let isBroken: boolean;
/** What every query fails with while broken. */
let failure: Error;
const logged: string[] = [];

beforeAll(async () => {
  const sound = await openEmbedded();
  const clock = new ManualClock();
  await bootstrap({ database: sound, clock }, { bootstrapKey: ADMIN_KEY, demo: false });
  isBroken = false;
  failure = new Error(BUG);
  const failing = <T>(work: () => Promise<T>): Promise<T> => (isBroken ? Promise.reject(failure) : work());
  const database: Database = {
    ...sound,
    query: (statement) => failing(() => sound.query(statement)),
    readAs: (tenantId, work) => failing(() => sound.readAs(tenantId, work)),
    lane: { transact: (first, second) => failing(() => sound.lane.transact(first, second)), reset: () => {} },
  };
  const logger = createLogger('debug', (line) => void logged.push(line));
  const gateway = new Gateway({ database, clock, logger, tokenSecret: new TextEncoder().encode('x'.repeat(32)) });
  ({ url } = await gateway.listen({ host: '127.0.0.1', port: 0 }));
  afterUse(() => gateway.close());
  await httpClient(`${url}/graphql`, ADMIN_KEY).data('{ viewer { tenant { name } } }'); // the key is remembered from here on
  isBroken = true;
});

/** Shows that nothing of the bug went out, and all of it into the log. */
async function expectMasked(answer: () => Promise<string>): Promise<void> {
  logged.length = 0;
  const text = await answer();
  expect(text).toContain('"code":"INTERNAL_SERVER_ERROR"');
  expect(text).toContain('the operator finds it in the log');
  expect(text).not.toMatch(/hidden_table|SELECT|\.ts|stack|at /);
  expect(logged.join('')).toContain('hidden_table');
  expect(logged.join('')).not.toContain(ADMIN_KEY.slice(-32));
  expect(logged.join('')).not.toContain(TOKEN);
}

describe('a bug', () => {
  it.each([
    ['in a query', '{ viewer { tenant { name } } }', {}],
    ['in a list', '{ customers(first: 1) { nodes { id } } }', {}],
    ['in a mutation', 'mutation { registerCustomer(input: { referenceId: "x" }) { __typename } }', {}],
    ['in a decision', CONSUME, use()],
    ['in a subscription', WATCH, { referenceId: 'acme' }],
  ] as const)('%s is masked and logged, over both doors', async (_, query, variables) => {
    const client = httpClient(`${url}/graphql`, ADMIN_KEY);
    await expectMasked(async () => {
      const headers = query.startsWith('subscription') ? { accept: 'text/event-stream' } : {};
      return (await client.post(query, variables, { headers })).text;
    });
    await expectMasked(async () => {
      const socket = await openWs(`${url}/graphql`);
      await socket.init(ADMIN_KEY);
      socket.subscribe('1', query, variables);
      const message = await socket.waitForMessage(({ id }) => id === '1');
      await socket.close();
      return JSON.stringify(message);
    });
  });

  it('in authentication is masked and logged, over both doors', async () => {
    const unknown = `mg_live_Nobody00_${'0'.repeat(32)}`;
    await expectMasked(
      async () => (await httpClient(`${url}/graphql`, unknown).post('{ viewer { __typename } }')).text,
    );
    logged.length = 0;
    const socket = await openWs(`${url}/graphql`);
    await expect(socket.init(unknown)).rejects.toThrow();
    expect(await socket.waitForClose()).toEqual({ code: 4500, reason: 'Internal server error' });
    expect(logged.join('')).toContain('hidden_table');
  });
});

describe('a database that is away', () => {
  beforeAll(() => {
    failure = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
  });

  it.each([
    ['a query', '{ viewer { tenant { name } } }', {}],
    ['a list', '{ customers(first: 1) { nodes { id } } }', {}],
    ['a mutation', 'mutation { registerCustomer(input: { referenceId: "x" }) { __typename } }', {}],
    ['a decision', CONSUME, use()],
  ] as const)('is told to %s as something to retry, and not where it is', async (_, query, variables) => {
    const { errors, text } = await httpClient(`${url}/graphql`, ADMIN_KEY).post(query, variables);
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'UNAVAILABLE', retryable: true }]);
    expect(text).not.toContain('10.0.0.7');
  });

  it('is counted among the outcomes', async () => {
    await httpClient(`${url}/graphql`, ADMIN_KEY).post(CONSUME, use());
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^metergraph_consumes_total\{outcome="UNAVAILABLE"\} [1-9]/m);
  });
});
