/** no-webhooks-tables — the database of stripe-no-webhooks, made by its own command, with credits for every customer. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { FEATURE_KEY, referenceOf } from '../catalog.ts';
import { openForReading, withDatabase } from '../databases.ts';
import { CUSTOMERS } from '../rows.ts';
import { CREDITS } from './settings.ts';

const WITHIN_MS = 60_000;

/** @param folder Where the command may write what it likes. */
export async function createNoWebhooksTables(url: string, folder: string): Promise<void> {
  const main = createRequire(import.meta.url).resolve('stripe-no-webhooks');
  const command = join(dirname(main), '../bin/cli.js');
  const { PATH = '' } = process.env;
  const env = { PATH, DATABASE_URL: url };
  await promisify(execFile)(process.execPath, [command, 'migrate', url], { cwd: folder, env, timeout: WITHIN_MS });
  const users = Array.from({ length: CUSTOMERS }, (_, i) => referenceOf(i));
  await withDatabase(openForReading(url), async ({ query }) => {
    await query({
      text: 'INSERT INTO stripe.credit_balances (user_id, key, balance) SELECT user_id, $2, $3::bigint FROM unnest($1::text[]) AS user_id',
      params: [users, FEATURE_KEY, String(CREDITS)],
    });
    await query({ text: 'ANALYZE stripe.credit_balances', params: [] });
  });
}
