/** starts — the servers of peers, with what each of them needs, and what they have stored read afterwards. */
import { agreed, countedOnly } from '../books.ts';
import { FEATURE_KEY } from '../catalog.ts';
import { startServer } from '../children.ts';
import { openForReading, sumOf, withDatabase } from '../databases.ts';
import { CUSTOMERS } from '../rows.ts';
import type { Start } from '../servers.ts';
import { createNoWebhooksTables } from './no-webhooks-tables.ts';
import { countedIn, redisProgram, startRedis } from './redis.ts';
import { CREDITS, FLEXIBLE_TABLE } from './settings.ts';

export const PEER_STARTS = {
  'flexible-pg': async ({ folder, databases, kept }) => {
    const url = await databases.empty('flexible');
    const server = await kept(startServer('flexible-pg', folder, { DATABASE_URL: url }));
    const counted = () => sumOf(url, `SELECT points FROM "${FLEXIBLE_TABLE}"`);
    return { server, ledger: { read: async (accepted) => countedOnly(accepted, await counted()), isEmbedded: false } };
  },
  'flexible-redis': async ({ folder, kept }) => {
    const program = redisProgram();
    if (program === null) return { missing: 'no redis-server found on PATH' };
    const redis = await kept(startRedis(program, folder));
    const env = { BENCH_REDIS_PORT: String(redis.port) };
    const server = await kept(startServer('flexible-redis', folder, env));
    const read = async (accepted: number) => countedOnly(accepted, await countedIn(redis.port));
    return { server, ledger: { read, isEmbedded: false }, storePid: redis.pid };
  },
  'no-webhooks': async ({ folder, databases, kept }) => {
    const url = await databases.empty('no_webhooks');
    await createNoWebhooksTables(url, folder);
    const server = await kept(startServer('no-webhooks', folder, { DATABASE_URL: url }));
    return { server, ledger: { read: (accepted) => readNoWebhooks(url, accepted), isEmbedded: false } };
  },
} satisfies Record<string, Start>;

const READ_NO_WEBHOOKS = `
  SELECT (SELECT sum($1::bigint - balance) FROM stripe.credit_balances WHERE key = $2)::float8 AS counted,
    count(*)::float8 AS events, coalesce(-sum(amount), 0)::float8 AS event_units, count(idempotency_key)::float8 AS answers
  FROM stripe.credit_ledger`;

type NoWebhooksRow = { counted: number; events: number; event_units: number; answers: number };

const readNoWebhooks = (url: string, accepted: number) =>
  withDatabase(openForReading(url), async ({ query }) => {
    const [row] = await query<NoWebhooksRow>({ text: READ_NO_WEBHOOKS, params: [String(CREDITS), FEATURE_KEY] });
    if (!row) throw new Error(`the books of ${CUSTOMERS} users of stripe-no-webhooks cannot be read`);
    const { counted, events, event_units: eventUnits, answers } = row;
    return agreed({ accepted, counted, events, eventUnits, answers, alerts: null });
  });
