/**
 * Goal: `metergraph stripe` does from the command line what it says, beside a gateway that runs, and never tells the key.
 * Method: the command as people have it, in processes of its own, against the fake Stripe.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterUse } from '../support/after-use.ts';
import { migrated, migratedFolder } from '../support/engines.ts';
import { spawnGateway } from '../support/gateway-process.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { scratchFolder } from '../support/scratch.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';

const TEST_KEY = `mg_test_${'c'.repeat(8)}_${'d'.repeat(32)}`;
const PATIENCE = { timeout: 300_000 };

/** A config file with one price, which may be written anew. */
function configFile() {
  const folder = scratchFolder('stripe');
  afterUse(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'metergraph.config.ts');
  const write = (unitAmount: number) =>
    writeFileSync(
      path,
      `export default {
        features: { calls: { displayName: 'API calls', price: { unitAmount: ${unitAmount}, minimumSpend: 500 } } },
        plans: { pro: { price: [{ amount: 2_000, interval: 'month' }], features: { calls: true } } },
      };`,
    );
  return { path, write };
}

type Env = Readonly<Record<string, string>>;

async function run(env: Env, ...args: readonly string[]) {
  const command = spawnGateway(env, ['stripe', ...args]);
  const { code } = await command.exited;
  const said = command.stdout() + command.stderr();
  expect(said).not.toContain(env.STRIPE_SECRET_KEY ?? '-');
  expect(command.stderr()).not.toContain('    at '); // a sentence, not a stack
  return { code, said: said.replace(/mg_[0-9a-f]{12}/g, 'mg').replace(/ {2,}/g, ' ') };
}

const atStripe = ({ stripe }: StripeRig, key = stripe.apiKey) => ({
  STRIPE_SECRET_KEY: key,
  STRIPE_API_BASE: stripe.url,
});

const CHANGES = [
  ' + product mg_f_calls "API calls"',
  ' + product mg_p_pro "Pro"',
  ' + meter mg_calls "API calls", the sum of each customer',
  ' + price mg:pro:base:month:usd 20.00 USD every month',
  ' + price mg:pro:calls:month 0.10 USD each, every month',
].join('\n');

describePostgres('beside a gateway on Postgres', () => {
  it('shows, does, shows nothing left, and shows drift', PATIENCE, async () => {
    const [rig, database, config] = [await openStripe(), await createDatabase({ template: migrated }), configFile()];
    config.write(10);
    const env = { DATABASE_URL: database.url, METERGRAPH_CONFIG: config.path, ...atStripe(rig) };
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

    const [one, two] = await Promise.all([run(env, 'sync'), run(env, 'sync')]);
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(rig.stripe.account().prices.all()).toHaveLength(2);
    const status = await run(env, 'status');
    expect(status).toMatchObject({ code: 0, said: expect.stringContaining('Nothing differs: 5 as they should be.\n') });

    config.write(12);
    const drift = await run(env, 'status');
    expect(drift.code).toBe(1);
    expect(drift.said).toContain(
      ' ~ price mg:pro:calls:month 0.10 USD each, every month → 0.12 USD each, every month, as another price\n',
    );
    expect(drift.said).toContain(
      'The database is not yet what the config says: calls would be saved by a gateway that starts with it.',
    );
    expect(await run({ ...env, METERGRAPH_CONFIG: '' }, 'status', '--tenant', 'nobody')).toMatchObject({
      code: 1,
      said: expect.stringContaining('There is no tenant "nobody"; give its id or its name.'),
    });
  });

  it('keeps whose account a tenant is paid into, and syncs that', PATIENCE, async () => {
    const [rig, database, config] = [await openStripe(), await createDatabase({ template: migrated }), configFile()];
    config.write(10);
    const env = { DATABASE_URL: database.url, METERGRAPH_CONFIG: config.path, ...atStripe(rig) };
    await spawnGateway({ ...env, METERGRAPH_BOOTSTRAP_KEY: TEST_KEY }).listening;
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
});

describe('on an embedded database', () => {
  it('says what is missing, what does not fit, and what to do where a gateway has it', PATIENCE, async () => {
    const [rig, config, METERGRAPH_DATA_DIR] = [await openStripe(), configFile(), await migratedFolder()];
    afterUse(() => rmSync(METERGRAPH_DATA_DIR, { recursive: true, force: true }));
    config.write(10);
    const env = { METERGRAPH_DATA_DIR, METERGRAPH_CONFIG: config.path, ...atStripe(rig) };
    expect((await run({ METERGRAPH_DATA_DIR }, 'status')).said).toMatch(
      /^STRIPE_SECRET_KEY is not set: without it billing is off\./,
    );
    expect((await run(env, 'sync')).said).toMatch(/^The database is empty: start the gateway once/);

    const gateway = spawnGateway({ ...env, METERGRAPH_BOOTSTRAP_KEY: TEST_KEY }, ['--no-demo']);
    await gateway.listening;
    const locked = await run(env, 'sync');
    expect(locked.code).toBe(1);
    expect(locked.said).toMatch(
      /is in use by process \d+, at http.* Here that means: stop the gateway, run this, and start it again\./,
    );
    gateway.kill('SIGTERM');
    await gateway.exited;

    const live = await run({ ...env, ...atStripe(rig, 'sk_live_hunter2') }, 'sync');
    expect(live).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^STRIPE_SECRET_KEY is a live key, and "Default" is a test tenant, which must not/),
    });
    const wrong = await run({ ...env, ...atStripe(rig, 'sk_test_hunter2') }, 'sync');
    expect(wrong).toMatchObject({
      code: 1,
      said: expect.stringContaining('Stripe refused to list what is there: Invalid API Key'),
    });
    expect((await run({ ...env, METERGRAPH_CONFIG: '' }, 'sync', '--config', config.path)).code).toBe(0);
  });
});

it('refuses the test key for a live tenant, which nobody would ever be charged by', PATIENCE, async () => {
  const [rig, METERGRAPH_DATA_DIR] = [await openStripe(), await migratedFolder()];
  afterUse(() => rmSync(METERGRAPH_DATA_DIR, { recursive: true, force: true }));
  const gateway = spawnGateway({ METERGRAPH_DATA_DIR }, ['--no-demo']);
  await gateway.listening;
  gateway.kill('SIGTERM');
  await gateway.exited;
  const refused = await run({ METERGRAPH_DATA_DIR, ...atStripe(rig) }, 'sync');
  expect(refused.code).toBe(1);
  expect(refused.said).toMatch(
    /^STRIPE_SECRET_KEY is a test key, and "Default" is a live tenant, .*METERGRAPH_BOOTSTRAP_KEY=mg_test_…\.\n$/,
  );
});
