/**
 * Goal: `metergraph stripe` does from the command line what it says, beside a gateway that runs, and never tells the key.
 * Method: the command in this process, against the fake Stripe; once the whole way as people have it, in processes of its own.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bootstrap } from '../../server/actions/bootstrap.ts';
import { readSettings } from '../../server/config.ts';
import { systemClock } from '../../server/domain/clock.ts';
import { type OpenDatabase, openDatabase } from '../../server/open-database.ts';
import { afterUse } from '../support/after-use.ts';
import { runCommand, type Said } from '../support/command.ts';
import { migrated, migratedFolder } from '../support/engines.ts';
import { spawnGateway } from '../support/gateway-process.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { scratchFolder } from '../support/scratch.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';

const TEST_KEY = `mg_test_${'c'.repeat(8)}_${'d'.repeat(32)}`;
const PATIENCE = { timeout: 300_000 };

/** A config file with one price. A process reads each file once, so another price is another file. */
function configFile(unitAmount = 10): string {
  const folder = scratchFolder('stripe');
  afterUse(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'metergraph.config.ts');
  writeFileSync(
    path,
    `export default {
      features: { calls: { displayName: 'API calls', price: { unitAmount: ${unitAmount}, minimumSpend: 500 } } },
      plans: { pro: { price: [{ amount: 2_000, interval: 'month' }], features: { calls: true } } },
    };`,
  );
  return path;
}

type Env = Readonly<Record<string, string>>;

const run = async (env: Env, ...args: readonly string[]) => told(env, await runCommand(env, 'stripe', ...args));

async function runProcess(env: Env, ...args: readonly string[]) {
  const command = spawnGateway(env, ['stripe', ...args]);
  const { code } = await command.exited;
  return told(env, { code: code ?? -1, stdout: command.stdout(), stderr: command.stderr() });
}

function told(env: Env, { code, stdout, stderr }: Said) {
  expect(stdout + stderr).not.toContain(env.STRIPE_SECRET_KEY ?? '-');
  expect(stderr).not.toContain('    at '); // a sentence, not a stack
  return { code, said: (stdout + stderr).replace(/mg_[0-9a-f]{12}/g, 'mg').replace(/ {2,}/g, ' ') };
}

/** The database as a gateway leaves it that was started once. */
async function startedOnce(env: Env, bootstrapKey: string | null): Promise<void> {
  const { database, close } = await open(env);
  await bootstrap({ database, clock: systemClock }, { bootstrapKey, demo: false });
  await close();
}

const open = (env: Env): Promise<OpenDatabase> => openDatabase(readSettings({}, env));

const atStripe = ({ stripe }: StripeRig, key = stripe.apiKey) => ({
  STRIPE_SECRET_KEY: key,
  STRIPE_API_BASE: stripe.url,
});

/** A Postgres, empty or (with a key or null, which makes one) as it is after the first start, and what a gateway is told of it. */
async function newDatabase(rig: StripeRig, bootstrapKey?: string | null) {
  const { url: DATABASE_URL, drop } = await createDatabase({ template: migrated });
  afterUse(drop);
  if (bootstrapKey !== undefined) await startedOnce({ DATABASE_URL }, bootstrapKey);
  return { DATABASE_URL, METERGRAPH_CONFIG: configFile(), ...atStripe(rig) };
}

const CHANGES = [
  ' + product mg_f_calls "API calls"',
  ' + product mg_p_pro "Pro"',
  ' + meter mg_calls "API calls", the sum of each customer',
  ' + price mg:pro:base:month:usd 20.00 USD every month',
  ' + price mg:pro:calls:month 0.10 USD each, every month',
].join('\n');

describePostgres('beside a gateway on Postgres', () => {
  it('shows, does, shows nothing left, and shows drift', PATIENCE, async () => {
    const rig = await openStripe();
    const env = await newDatabase(rig);
    const gateway = spawnGateway({ ...env, METERGRAPH_BOOTSTRAP_KEY: TEST_KEY });
    await gateway.listening;

    const dry = await run(env, 'sync', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.said).toContain(
      'Tenant "Default" at Stripe, test mode, the account of the key; features and plans from ',
    );
    expect(dry.said).toContain(`${CHANGES}\n\nNothing was done: 5 new. Run it without --dry-run to do that.\n`);
    expect(dry.said).toContain(' ! features.calls.price has a minimumSpend of 500 (usd), which Stripe has no word for');
    expect(rig.stripe.account().products.all()).toEqual([]);
    expect((await run(env, 'status')).code).toBe(1);

    const [one, two] = await Promise.all([runProcess(env, 'sync'), runProcess(env, 'sync')]);
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(rig.stripe.account().prices.all()).toHaveLength(2);
    const status = await run(env, 'status');
    expect(status).toEqual({ code: 0, said: expect.stringContaining('Nothing differs: 5 as they should be.\n') });

    const drift = await run({ ...env, METERGRAPH_CONFIG: configFile(12) }, 'status');
    expect(drift.code).toBe(1);
    expect(drift.said).toContain(
      ' ~ price mg:pro:calls:month 0.10 USD each, every month → 0.12 USD each, every month, as another price\n',
    );
    expect(drift.said).toContain(
      'The database is not yet what the config says: calls would be saved by a gateway that starts with it.',
    );
    expect(await run({ ...env, METERGRAPH_CONFIG: '' }, 'status', '--tenant', 'nobody')).toEqual({
      code: 1,
      said: 'There is no tenant "nobody"; give its id or its name.\n',
    });
  });

  it('keeps whose account a tenant is paid into, and syncs that', PATIENCE, async () => {
    const rig = await openStripe();
    const env = await newDatabase(rig, TEST_KEY);
    expect((await run(env, 'account')).said).toBe('Tenant "Default" is paid into the account of the key.\n');
    expect((await run(env, 'account', 'me')).said).toBe(
      'The account is "me"; write acct_… as Stripe shows it, or "own".\n',
    );
    expect((await run(env, 'account', 'acct_1')).said).toBe('Tenant "Default" is paid into acct_1.\n');
    expect((await run(env, 'sync')).said).toContain('test mode, account acct_1;');
    expect(rig.stripe.account().prices.all()).toEqual([]);
    expect(rig.stripe.account('acct_1').prices.all()).toHaveLength(2);
    expect((await run(env, 'account', 'own')).said).toBe('Tenant "Default" is paid into the account of the key.\n');
  });

  it('says which key does not fit which tenant', PATIENCE, async () => {
    const rig = await openStripe();
    const { env, live } = { env: await newDatabase(rig, TEST_KEY), live: await newDatabase(rig, null) };
    expect(await run({ ...env, ...atStripe(rig, 'sk_live_hunter2') }, 'sync')).toEqual({
      code: 1,
      said: expect.stringMatching(/^STRIPE_SECRET_KEY is a live key, and "Default" is a test tenant, which must not/),
    });
    expect(await run({ ...env, ...atStripe(rig, 'sk_test_hunter2') }, 'sync')).toEqual({
      code: 1,
      said: expect.stringContaining('Stripe refused to list what is there: Invalid API Key'),
    });
    expect(await run(live, 'sync')).toEqual({
      code: 1, // nobody would ever be charged by it
      said: expect.stringMatching(
        /^STRIPE_SECRET_KEY is a test key, and "Default" is a live tenant, .*METERGRAPH_BOOTSTRAP_KEY=mg_test_…\.\n$/,
      ),
    });
    const { METERGRAPH_CONFIG, ...rest } = env;
    expect((await run(rest, 'sync', '--config', METERGRAPH_CONFIG)).code).toBe(0);
  });
});

describe('on an embedded database', () => {
  it('says what is missing, what does not fit, and what to do where a gateway has it', PATIENCE, async () => {
    const [rig, METERGRAPH_DATA_DIR] = [await openStripe(), await migratedFolder()];
    afterUse(() => rmSync(METERGRAPH_DATA_DIR, { recursive: true, force: true }));
    const env = { METERGRAPH_DATA_DIR, METERGRAPH_CONFIG: configFile(), ...atStripe(rig) };
    expect((await run({ METERGRAPH_DATA_DIR }, 'status')).said).toMatch(
      /^STRIPE_SECRET_KEY is not set: without it billing is off\./,
    );
    expect((await run(env, 'sync')).said).toMatch(/^The database is empty: start the gateway once/);

    await startedOnce(env, TEST_KEY);
    const gateway = await open(env);
    gateway.publishUrl('http://127.0.0.1:4000');
    const locked = await run(env, 'sync');
    await gateway.close();
    expect(locked.code).toBe(1);
    expect(locked.said).toMatch(
      /is in use by process \d+, at http.* Here that means: stop the gateway, run this, and start it again\./,
    );
  });
});
