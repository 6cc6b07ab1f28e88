/** gateway — the gateway as shipped, which also tells what it takes and when it commits. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pino from 'pino';
import { tokenSecretOf } from '../../server/actions/bootstrap.ts';
import { signCustomerToken } from '../../server/auth/customer-token.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { systemClock as clock } from '../../server/domain/clock.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { formatUnits } from '../../server/domain/units.ts';
import type { Committed } from '../../server/events/committed.ts';
import { Gateway } from '../../server/gateway.ts';
import '../programs/leash.ts';
import { type Commit, type GatewayQuestion, type Memory, nowNs, updateOf } from './said.ts';

const TOKEN_LIVES_MS = 800_000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const database = openPostgres({ url: process.env.DATABASE_URL ?? '', poolSize: 4, statementTimeoutMs: 10_000 });
const tokenSecret = await tokenSecretOf({ database }, null);
const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
const gateway = new Gateway({
  database,
  clock,
  logger,
  tokenSecret,
  isFanOutShared: process.env.FAN_OUT_SHARED !== '0',
});
const { streams } = gateway.services;

const tell = streams.committed.bind(streams);
let commits: Commit[] = [];
streams.committed = (committed: Committed) => {
  const atNs = nowNs();
  for (const { usages } of committed.moved)
    for (const { referenceId, used } of usages) commits.push([updateOf(referenceId, formatUnits(used)), atNs]);
  tell(committed);
};

async function tokensOf(references: readonly string[]): Promise<readonly string[]> {
  const [tenant] = await database.query<{ id: string }>({ text: 'SELECT id FROM tenants', params: [] });
  if (!tenant) throw new Error('the database has no tenant');
  const expiresAtMs = Math.floor((clock.now() + TOKEN_LIVES_MS) / 1_000) * 1_000;
  const viewerOf = (referenceId: string) => ({
    tenantId: tenant.id,
    customerId: customerIdOf(tenant.id, referenceId),
    referenceId,
    featureKeys: null,
    expiresAtMs,
  });
  return Promise.all(references.map((referenceId) => signCustomerToken(viewerOf(referenceId), tokenSecret, clock)));
}

function memory(): Memory {
  for (let i = 0; i < 3; i++) collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed, outsideBytes: external };
}

async function answer(question: GatewayQuestion): Promise<unknown> {
  switch (question.ask) {
    case 'tokens':
      return tokensOf(question.references);
    case 'memory':
      return memory();
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
    case 'commits': {
      const told = commits;
      commits = [];
      return told;
    }
    case 'metrics':
      return gateway.metrics.text();
  }
}

// Only the bench speaks over this channel.
process.on('message', async (question: GatewayQuestion) => process.send?.({ answer: await answer(question) }));
process.send?.({ answer: await gateway.listen({ host: '127.0.0.1', port: 0 }) });
