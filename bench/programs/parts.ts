/** parts — a gateway's parts for the programs that put something else in the place of one of them. */
import pino from 'pino';
import { tokenSecretOf } from '../../server/actions/bootstrap.ts';
import type { Database } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { systemClock as clock } from '../../server/domain/clock.ts';
import { Gateway, type GatewayOptions } from '../../server/gateway.ts';

const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));

/** The database named by `DATABASE_URL`, as the gateway opens it. */
export function openDatabase(): Database {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error('DATABASE_URL is not set');
  return openPostgres({ url, poolSize: 4, statementTimeoutMs: 10_000 });
}

export async function createGateway(database: Database, engine: GatewayOptions['engine'] = {}): Promise<Gateway> {
  return new Gateway({ database, clock, logger, tokenSecret: await tokenSecretOf({ database }, null), engine });
}

/** Opens the gateway's own door on a free port, and tells the process that measures. */
export async function listen(gateway: Gateway): Promise<void> {
  process.send?.(await gateway.listen({ host: '127.0.0.1', port: 0 }));
}
