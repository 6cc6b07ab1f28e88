/**
 * no-webhooks — the credits of stripe-no-webhooks on Postgres, used as its documentation does: asked whether there are
 * enough, then consumed, with an idempotency key. Stripe itself is never called.
 */
import './leash.ts';
import { Pool } from 'pg';
import { credits, initCredits } from 'stripe-no-webhooks';
import { FEATURE_KEY } from '../catalog.ts';
import { servePeer } from './peer-door.ts';

initCredits(new Pool({ connectionString: process.env.DATABASE_URL }));

servePeer(async (userId, idempotencyKey) => {
  const use = { userId, key: FEATURE_KEY, amount: 1 };
  if (!(await credits.hasCredits(use))) return false;
  await credits.consume({ ...use, idempotencyKey });
  return true;
});
