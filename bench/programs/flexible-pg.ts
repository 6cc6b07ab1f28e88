/** flexible-pg — rate-limiter-flexible on Postgres, set up as its documentation does, with a month's limit. */
import './leash.ts';
import { Pool } from 'pg';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { FLEXIBLE_LIMIT, FLEXIBLE_SECONDS, FLEXIBLE_TABLE } from '../peers/settings.ts';
import { servePeer } from './peer-door.ts';

const storeClient = new Pool({ connectionString: process.env.DATABASE_URL });
const limiter = await new Promise<RateLimiterPostgres>((resolve, reject) => {
  const options = { storeClient, points: FLEXIBLE_LIMIT, duration: FLEXIBLE_SECONDS, tableName: FLEXIBLE_TABLE };
  const created: RateLimiterPostgres = new RateLimiterPostgres(options, (error) => {
    if (error) reject(error);
    else resolve(created);
  });
});

servePeer(async (referenceId) => {
  try {
    await limiter.consume(referenceId);
    return true;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return false;
    throw refusal;
  }
});
