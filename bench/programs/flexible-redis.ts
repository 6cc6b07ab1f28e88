/** flexible-redis — rate-limiter-flexible on Redis, with a month's limit: a counter in memory, as fast as such a one gets. */
import './leash.ts';
import { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { FLEXIBLE_LIMIT, FLEXIBLE_SECONDS } from '../peers/settings.ts';
import { servePeer } from './peer-door.ts';

const storeClient = new Redis(Number(process.env.BENCH_REDIS_PORT), '127.0.0.1', { enableOfflineQueue: true });
const limiter = new RateLimiterRedis({ storeClient, points: FLEXIBLE_LIMIT, duration: FLEXIBLE_SECONDS });

servePeer(async (referenceId) => {
  try {
    await limiter.consume(referenceId);
    return true;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return false;
    throw refusal;
  }
});
