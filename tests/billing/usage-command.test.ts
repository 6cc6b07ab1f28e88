/**
 * Goal: what an operator can do about usage that Stripe does not bill is done by the command, all of it, and told in words
 * and by the exit code. Method: the commands in this process, on a Postgres with messages in known states, beside a fake
 * Stripe that goes by the same clock as they do.
 */
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { meterEventName } from '../../server/billing/stripe/names.ts';
import type { Database } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { afterFile } from '../support/after-use.ts';
import { runCommand } from '../support/command.ts';
import { migrated } from '../support/engines.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';
import { openUsage, type UsageRig } from './usage-rig.ts';

describePostgres('beside gateways, metergraph stripe', () => {
  let database: Database;
  let stripeRig: StripeRig;
  let rig: UsageRig;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const { url, drop } = await createDatabase({ template: migrated });
    afterFile(drop);
    database = openPostgres({ url, poolSize: 2, statementTimeoutMs: 10_000 });
    afterFile(() => database.close());
    stripeRig = await openStripe();
    const { apiKey, url: stripeUrl } = stripeRig.stripe;
    env = { DATABASE_URL: url, STRIPE_SECRET_KEY: apiKey, STRIPE_API_BASE: stripeUrl };
  });

  /** A tenant with usage of two features, of which Stripe has the meter of one. */
  beforeEach(async () => {
    stripeRig.clock.set(Date.now());
    rig = await openUsage(database, { stripeRig, customers: ['acme', 'globex'] });
    for (const [customerId, { stripeCustomerId }] of rig.payers) {
      await database.query({
        text: 'INSERT INTO billing_accounts (tenant_id, customer_id, stripe_customer_id, updated_at) VALUES ($1, $2, $3, now())',
        params: [rig.tenantId, customerId, stripeCustomerId],
      });
    }
  });

  const run = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCommand(env, 'stripe', ...args, '--tenant', rig.tenantId);
    return { code, said: stdout + stderr };
  };

  /** Usage of this month, told and sent. */
  async function use(referenceId: string, featureKey: string, units: string): Promise<void> {
    const now = new Date(rig.clock.now());
    const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
    const [start, end] = [Date.UTC(year, month), Date.UTC(year, month + 1)].map((ms) => new Date(ms).toISOString());
    await rig.copy(referenceId, featureKey, units, { start: start ?? '', end: end ?? null });
    await database.query({
      text: "UPDATE usage_outbox SET due_at = '2020-01-01' WHERE tenant_id = $1",
      params: [rig.tenantId],
    });
    await rig.collect();
    await rig.newSender().run();
  }

  /** Usage for which Stripe has no meter, of both customers. @returns what the messages are called, the oldest first. */
  async function die(): Promise<readonly string[]> {
    for (const referenceId of ['acme', 'globex']) {
      await use(referenceId, 'tokens', '5');
      rig.clock.advance(1);
    }
    return identifiers();
  }

  async function identifiers(): Promise<readonly string[]> {
    const rows = await database.query<{ identifier: string }>({
      text: 'SELECT identifier FROM usage_messages WHERE tenant_id = $1 ORDER BY created_at',
      params: [rig.tenantId],
    });
    return rows.map(({ identifier }) => identifier);
  }

  /** Sent a day ago by a gateway that never heard what became of it. */
  const forget = () =>
    database.query({
      text: "UPDATE usage_messages SET unknown_since = now() - interval '1 day', reason_code = 'unknown_fate' WHERE tenant_id = $1",
      params: [rig.tenantId],
    });

  it('dead-letters list says that there are none', async () => {
    await use('acme', 'calls', '7');
    expect(await run('dead-letters', 'list')).toEqual({ code: 0, said: 'There are no dead letters.\n' });
    expect(await run('dead-letters', 'resend', '--all')).toMatchObject({
      code: 0,
      said: expect.stringMatching(/^0 will be sent again/),
    });
  });

  it('dead-letters list tells each of the tenant, the oldest first, and ends with 1', async () => {
    const [first = '', second = ''] = await die();
    const { code, said } = await run('dead-letters', 'list');
    expect(code).toBe(1);
    expect(said).toMatch(new RegExp(`^${first}  acme tokens: 5 of \\S+, no_meter: .+\n${second}  globex tokens: 5 of`));
    expect(said).toMatch(/\n\n2 dead letters\.\n$/);
  });

  it('dead-letters resend sends the one that is named, by another name, and leaves the others', async () => {
    const [first = '', second = ''] = await die();
    const sent = { code: 0, said: '1 will be sent again by the next gateway that runs.\n' };
    expect(await run('dead-letters', 'resend', second)).toEqual(sent);
    expect(await rig.messages()).toEqual(expect.arrayContaining(['dead 5 no_meter', 'waiting 5']));
    expect(await identifiers()).toEqual([first, `${second}.1`]);
  });

  it('dead-letters resend says which are none, sends the others, and ends with 1', async () => {
    const [first = ''] = await die();
    expect(await run('dead-letters', 'resend', 'mg_nobody', first, first)).toEqual({
      code: 1,
      said: '1 will be sent again by the next gateway that runs.\nNo dead letters of this tenant are: mg_nobody.\n',
    });
  });

  it.each([
    [[], 'Name dead letters as `list` shows them, or say --all.\n'],
    [['mg_1', '--all'], 'Name dead letters as `list` shows them, or say --all.\n'],
    [['--all', '--arrived', '--missing'], 'They are at Stripe (--arrived) or not (--missing); say one of them.\n'],
  ])('dead-letters resend %j is refused', async (args, said) => {
    await die();
    expect(await run('dead-letters', 'resend', ...args)).toEqual({ code: 1, said });
    expect(await rig.messages()).toEqual(['dead 5 no_meter', 'dead 5 no_meter']);
  });

  it('dead-letters resend --all sends those of the tenant, once the meter is there', async () => {
    await die();
    const eventName = meterEventName(rig.tenantId, 'tokens');
    const meter = { display_name: 'Tokens', event_name: eventName, default_aggregation: { formula: 'sum' } } as const;
    await rig.sdk.billing.meters.create(meter);
    expect(await run('dead-letters', 'resend', '--all')).toMatchObject({
      code: 0,
      said: expect.stringMatching(/^2 will be sent again/),
    });
    rig.clock.set(Date.now());
    await rig.newSender().run();
    expect(rig.counted('tokens')).toBe('10');
    expect(await run('dead-letters', 'list')).toMatchObject({ code: 0 });
  });

  it.each([
    ['nobody knows: it keeps its name, so that it counts once', [], /^1 will be sent again/, 'waiting 5', ''],
    ['it is not there: it gets another name', ['--missing'], /^1 will be sent again/, 'waiting 5', '.1'],
    ['it is there: it is taken for delivered', ['--arrived'], /^1 taken for delivered\.\n$/, 'delivered 5', ''],
  ])('dead-letters resend of one whose fate %s', async (_, flags, said, state, suffix) => {
    const [first = ''] = await die();
    await forget();
    expect(await run('dead-letters', 'resend', first, ...flags)).toEqual({
      code: 0,
      said: expect.stringMatching(said),
    });
    expect(await identifiers()).toContain(`${first}${suffix}`);
    expect((await rig.messages()).map((line) => line.replace(/ (no_meter|unknown_fate)$/, ''))).toContain(state);
  });

  it('dead-letters resend --arrived leaves those that Stripe has refused, and says which', async () => {
    const [first = '', second = ''] = await die();
    await database.query({
      text: "UPDATE usage_messages SET unknown_since = now() - interval '1 day', reason_code = 'unknown_fate' WHERE identifier = $1",
      params: [first],
    });
    const left =
      '1 left as they are, since Stripe has not taken them: 1 no_meter. Mend what they say, and send them again without --arrived.\n';
    expect(await run('dead-letters', 'resend', '--all', '--arrived')).toEqual({
      code: 1,
      said: `1 taken for delivered.\n${left}`,
    });
    expect((await rig.messages()).toSorted()).toEqual(['dead 5 no_meter', 'delivered 5 unknown_fate']);
    expect(await run('dead-letters', 'resend', second, '--arrived')).toEqual({
      code: 1,
      said: `0 taken for delivered.\n${left}`,
    });
  });

  it('dead-letters bury makes one of what Stripe had accepted and does not count, which is sent by another name', async () => {
    await use('acme', 'calls', '7');
    const [identifier = ''] = await identifiers();
    expect(await run('dead-letters', 'bury', identifier, 'mg_nobody')).toEqual({
      code: 1,
      said: '1 dead letter more.\nNo messages of this tenant that Stripe had accepted are: mg_nobody.\n',
    });
    expect(await rig.messages()).toEqual(['dead 7 buried']);
    expect(await run('dead-letters', 'bury', identifier)).toMatchObject({ code: 1 });
    expect(await run('dead-letters', 'resend', identifier)).toMatchObject({ code: 0 });
    rig.clock.set(Date.now());
    await rig.newSender().run();
    expect(await identifiers()).toEqual([`${identifier}.1`]);
    expect(rig.counted('calls')).toBe('14');
  });

  it('dead-letters list and resend --all go through however many there are', async () => {
    await die();
    await database.query({
      text: `INSERT INTO usage_messages SELECT (jsonb_populate_record(m, jsonb_build_object('number', 100 + i, 'identifier', m.identifier || '-' || i))).*
        FROM usage_messages m, generate_series(1, 1100) AS i WHERE m.tenant_id = $1 AND m.number = 1`,
      params: [rig.tenantId],
    });
    const { said } = await run('dead-letters', 'list');
    expect(new Set(said.match(/^mg_\S+/gm)).size).toBe(2_202);
    expect(said).toMatch(/\n\n2202 dead letters\.\n$/);
    expect(await run('dead-letters', 'resend', '--all')).toMatchObject({
      code: 0,
      said: expect.stringMatching(/^2202 will be sent again/),
    });
  });

  it('reconcile is content with what goes by itself', async () => {
    await use('acme', 'calls', '7');
    expect(await run('reconcile')).toMatchObject({
      code: 0,
      said: expect.stringMatching(
        /^ {2}acme calls \S+: 7 here, 0 at Stripe\n {6}7 {2}settling: .+\n1 compared, 0 of which differ by something that does not go by itself\.\n$/,
      ),
    });
    rig.stripe.settle();
    const nothing = '1 compared, 0 of which differ by something that does not go by itself.\n';
    expect(await run('reconcile')).toEqual({ code: 0, said: nothing });
  });

  it('reconcile names what does not, and ends with 1', async () => {
    await use('acme', 'calls', '7');
    await die();
    rig.stripe.settle();
    const { code, said } = await run('reconcile');
    expect(code).toBe(1);
    expect(said).toContain('! acme tokens ');
    expect(said).toMatch(/\n {6}5 {2}dead: in dead letters\n/);
    expect(said).not.toContain('acme calls');
    expect(said).toMatch(/\n3 compared, 2 of which differ by something that does not go by itself\.\n$/);
  });

  it('reconcile says what is missing without a key', async () => {
    const { DATABASE_URL = '' } = env;
    expect(await runCommand({ DATABASE_URL }, 'stripe', 'reconcile')).toMatchObject({
      code: 1,
      stderr: 'STRIPE_SECRET_KEY is not set: without it billing is off.\n',
    });
  });

  it('account lets nobody who pays behind, unless it is told to', async () => {
    const { code, said } = await run('account', 'acct_another');
    expect({ code, said }).toEqual({
      code: 1,
      said: '2 customers of tenant "Acme" pay into the account of the key, and Stripe moves nobody: their subscriptions and usage would be looked for in another account. Say --force if they are to begin anew there.\n',
    });
    expect(await run('account', 'own')).toMatchObject({ code: 0 }); // it is that already
    expect(await run('account', 'acct_another', '--force')).toEqual({
      code: 0,
      said: 'Tenant "Acme" is paid into acct_another.\n',
    });
  });

  it('sync makes a meter for what one customer alone has a price for', async () => {
    await database.query({
      text: `INSERT INTO features (tenant_id, key, display_name, aggregation, reset, limits, details, anchor)
        VALUES ($1, 'reports', 'Reports', 'sum', 'monthly', '{}', '{}', 'calendar'), ($1, 'faxes', 'Faxes', 'sum', 'monthly', '{}', '{}', 'calendar')`,
      params: [rig.tenantId],
    });
    const price = '{"model":"per_unit","currency":"usd","unitAmount":"10"}';
    await database.query({
      text: `UPDATE customers SET overrides = jsonb_build_object('reports', jsonb_build_object('price', $2::jsonb),
        'faxes', jsonb_build_object('price', $2::jsonb, 'billing', 'prepaid')) WHERE id = $1`,
      params: [rig.customerId('acme'), price],
    });
    const { said } = await run('sync', '--dry-run');
    expect(said).toContain(meterEventName(rig.tenantId, 'reports'));
    expect(said).not.toContain(meterEventName(rig.tenantId, 'faxes'));
    expect(said).toContain('own_price');
  });

  it('customer tells who pays, and what makes somebody do so', async () => {
    const customerId = rig.customerId('acme');
    const metadata = `\n\n  metergraph_tenant=${rig.tenantId}\n  metergraph_customer=${customerId}\n`;
    const payer = rig.payers.get(customerId)?.stripeCustomerId;
    const known = await run('customer', 'acme');
    expect(known).toEqual({ code: 0, said: `Customer "acme" of tenant "Acme". ${payer} pays for it.${metadata}` });
    await database.query({ text: 'DELETE FROM billing_accounts WHERE customer_id = $1::uuid', params: [customerId] });
    expect(await run('customer', 'acme')).toEqual({
      code: 0,
      said: `Customer "acme" of tenant "Acme". Nobody pays for it yet: a customer that you make at Stripe does, if these are its metadata.${metadata}`,
    });
    expect(await run('customer', 'nobody')).toEqual({
      code: 1,
      said: 'There is no customer "nobody" of tenant "Acme"; registerCustomer makes it.\n',
    });
  });
});
