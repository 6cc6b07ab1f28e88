/**
 * stripe — brings the catalog to Stripe, or tells how Stripe differs from it.
 *
 * It opens the database itself, and reads it: what a gateway on the same Postgres does goes on beside. Features and plans
 * are what the config file makes of those in the database; only a gateway that starts with the file stores that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { foreseeConfig, type SyncReport } from '../actions/sync-config.ts';
import type { Reader } from '../billing/stripe/catalog/actual.ts';
import { type DesiredCatalog, desiredOf } from '../billing/stripe/catalog/desired.ts';
import { compareCatalog, syncCatalog } from '../billing/stripe/catalog/sync.ts';
import { connectStripe, onAccount, problemOfMode } from '../billing/stripe/client.ts';
import { metadataOfCustomer } from '../billing/stripe/money/purpose.ts';
import { type Flags, readSettings, type Settings } from '../config.ts';
import type { Database } from '../db/client.ts';
import { DataFolderInUseError } from '../db/folder-lock.ts';
import { migrate } from '../db/migrate.ts';
import { billingAccountOf, billingAccountsIn } from '../db/queries/billing-accounts.ts';
import { loadCatalog } from '../db/queries/catalog.ts';
import { customersById } from '../db/queries/customers.ts';
import { findFirstTenant } from '../db/queries/first-rows.ts';
import { ownPricedFeatures } from '../db/queries/own-prices.ts';
import { setStripeAccount, stripeAccountOf, tenantsCalled } from '../db/queries/tenants.ts';
import { systemClock } from '../domain/clock.ts';
import { customerIdOf } from '../domain/customer.ts';
import type { Catalog } from '../domain/plan.ts';
import type { Tenant } from '../domain/tenant.ts';
import { DEFAULT_CONFIG_FILE, loadConfig } from '../load-config.ts';
import { openDatabase } from '../open-database.ts';
import { reasonOf, StartError } from '../start-error.ts';
import { changeLines, countOf, databaseLines, headingOf, noticeLines, type Paint } from './stripe-report.ts';

export type StripeFlags = Flags & { readonly tenant?: string; readonly dryRun?: boolean; readonly force?: boolean };

/** @returns the command that all of them are under. */
export function addStripeCommands(program: Command): Command {
  const stripe = program.command('stripe').description('billing by Stripe (STRIPE_SECRET_KEY)');
  const command = (name: string, description: string) =>
    stripe
      .command(name)
      .description(description)
      .option('--tenant <id or name>', 'another than the first')
      .option('--config <file>', 'features and plans (METERGRAPH_CONFIG; else metergraph.config.ts, if there is one)')
      .option('--data-dir <folder>', 'of the embedded database, which must not be in use');
  command('sync', 'makes products, meters and prices at Stripe what features and plans say; deletes nothing')
    .option('--dry-run', 'tells what would be done, and does nothing')
    .action((flags: StripeFlags) => runStripeSync(flags));
  command('status', 'tells how Stripe differs from features and plans; ends with 1 where it does').action(
    (flags: StripeFlags) => runStripeStatus(flags),
  );
  command(
    'account [account]',
    'tells whose account a tenant is paid into, or sets it: acct_…, or "own" for that of the key',
  )
    .option(
      '--force',
      'although customers pay into the account before: what is there stays there, and bills them no more',
    )
    .action((account: string | undefined, flags: StripeFlags) => runStripeAccount(account, flags));
  command(
    'customer <referenceId>',
    'tells who pays for a customer, and by which metadata a customer made at Stripe by hand is taken for it',
  ).action((referenceId: string, flags: StripeFlags) => runStripeCustomer(referenceId, flags));
  return stripe;
}

export const runStripeSync = (flags: StripeFlags): Promise<void> =>
  telling(flags, async (settings, database) => {
    const { reader, desired, heading } = await prepare(settings, database, flags);
    say(heading);
    const line = changeLines(desired, paint);
    if (flags.dryRun) {
      const { changes, unchanged, inTheWay } = await compareCatalog(reader, desired);
      for (const change of changes) say(line(change));
      for (const sentence of inTheWay) say(`  ! ${sentence}\n`);
      const todo =
        inTheWay.length > 0
          ? ' Put out of the way what is marked with ! first.'
          : changes.length > 0
            ? ' Run it without --dry-run to do that.'
            : '';
      say(`${changes.length > 0 ? '\n' : ''}Nothing was done: ${countOf(changes, unchanged)}.${todo}\n`);
    } else {
      const { changes, unchanged } = await syncCatalog(reader, desired, (change) => say(line(change)));
      say(`${changes.length > 0 ? '\n' : ''}Done: ${countOf(changes, unchanged)}.\n`);
    }
    say(noticeLines(desired.notices));
  });

export const runStripeStatus = (flags: StripeFlags): Promise<void> =>
  telling(flags, async (settings, database) => {
    const { reader, desired, heading, report } = await prepare(settings, database, flags);
    const { changes, unchanged, inTheWay } = await compareCatalog(reader, desired);
    say(heading);
    for (const change of changes) say(changeLines(desired, paint)(change));
    for (const sentence of inTheWay) say(`  ! ${sentence}\n`);
    const isSame = changes.length + inTheWay.length === 0;
    say(
      isSame
        ? `Nothing differs: ${countOf(changes, unchanged)}.\n`
        : `\nStripe differs: ${countOf(changes, unchanged)}. metergraph stripe sync does what is listed.\n`,
    );
    const ofDatabase = databaseLines(report);
    say(ofDatabase + noticeLines(desired.notices));
    if (!isSame || ofDatabase !== '') process.exitCode = 1;
  });

/** @param account `own` for the account of the key; undefined only asks. */
export const runStripeAccount = (account: string | undefined, flags: StripeFlags): Promise<void> =>
  telling(flags, async (_settings, { db }) => {
    const tenant = await tenantOf(db, flags.tenant);
    if (account !== undefined) {
      if (account !== 'own' && !/^acct_\w+$/.test(account)) {
        throw new StartError(`The account is ${JSON.stringify(account)}; write acct_… as Stripe shows it, or "own".`);
      }
      await moveAccount(db, tenant, account === 'own' ? null : account, flags.force ?? false);
    }
    const kept = await stripeAccountOf(db, tenant.id);
    say(`Tenant ${JSON.stringify(tenant.name)} is paid into ${kept ?? 'the account of the key'}.\n`);
  });

/** Whoever pays already is known in the account before, and in no other. */
async function moveAccount(
  db: Database['db'],
  tenant: Tenant,
  account: string | null,
  isForced: boolean,
): Promise<void> {
  const before = await stripeAccountOf(db, tenant.id);
  const paying = account === before ? 0 : await billingAccountsIn(db, tenant.id);
  if (paying > 0 && !isForced) {
    const whose = `${paying} ${paying === 1 ? 'customer' : 'customers'} of tenant ${JSON.stringify(tenant.name)}`;
    throw new StartError(
      `${whose} pay into ${before ?? 'the account of the key'}, and Stripe moves nobody: their subscriptions and usage would be looked for in another account. Say --force if they are to begin anew there.`,
    );
  }
  await setStripeAccount(db, tenant.id, account);
}

export const runStripeCustomer = (referenceId: string, flags: StripeFlags): Promise<void> =>
  telling(flags, async (_settings, { db }) => {
    const tenant = await tenantOf(db, flags.tenant);
    const customerId = customerIdOf(tenant.id, referenceId);
    const named = `${JSON.stringify(referenceId)} of tenant ${JSON.stringify(tenant.name)}`;
    const [customer] = await customersById(db, tenant.id, [customerId]);
    if (!customer) throw new StartError(`There is no customer ${named}; registerCustomer makes it.`);
    const account = await billingAccountOf(db, { tenantId: tenant.id, customerId });
    const payer = account
      ? `${account.stripeCustomerId} pays for it.`
      : 'Nobody pays for it yet: a customer that you make at Stripe does, if these are its metadata.';
    say(`Customer ${named}. ${payer}\n\n`);
    for (const [name, id] of Object.entries(metadataOfCustomer({ tenantId: tenant.id, customerId })))
      say(`  ${name}=${id}\n`);
  });

/** Opens the database, and prints in a sentence what ends the work early. */
export async function telling(flags: StripeFlags, work: (settings: Settings, database: Database) => Promise<void>) {
  try {
    const settings = readSettings(flags);
    const { database, close } = await openDatabase(settings);
    try {
      await migrate(database);
      await work(settings, database);
    } finally {
      await close();
    }
  } catch (error) {
    const hint =
      error instanceof DataFolderInUseError
        ? ' Here that means: stop the gateway, run this, and start it again. On Postgres (DATABASE_URL) this runs beside it.'
        : '';
    process.stderr.write(`${reasonOf(error)}${hint}\n`);
    process.exitCode = 1;
  }
}

type Prepared = {
  readonly reader: Reader;
  readonly desired: DesiredCatalog;
  readonly heading: string;
  /** What the config file would still change in the database. */
  readonly report: SyncReport;
};

async function prepare(settings: Settings, database: Database, flags: StripeFlags): Promise<Prepared> {
  const { stripeSecretKey: secretKey, stripeApiBase: apiBase } = settings;
  if (secretKey === null) {
    throw new StartError(
      "STRIPE_SECRET_KEY is not set: without it billing is off. Set it to a key from Stripe's dashboard, under Developers, API keys.",
    );
  }
  const tenant = await tenantOf(database.db, flags.tenant);
  const problem = problemOfMode(secretKey, tenant);
  if (problem !== null) throw new StartError(problem);
  const account = await stripeAccountOf(database.db, tenant.id);
  const { catalog, report, source } = await catalogOf(settings, database, tenant);
  return {
    reader: { stripe: connectStripe({ secretKey, apiBase }), on: onAccount(account), wait: async (ms) => sleep(ms) },
    desired: desiredOf(tenant.id, catalog, await ownPricedFeatures(database.query, tenant.id)),
    heading: headingOf({ tenantName: tenant.name, mode: tenant.mode, account, source }),
    report,
  };
}

export async function tenantOf(db: Database['db'], idOrName: string | undefined): Promise<Tenant> {
  if (idOrName === undefined) {
    const first = await findFirstTenant(db);
    if (first) return first;
    throw new StartError('The database is empty: start the gateway once, it makes a tenant and stores the config.');
  }
  const [tenant, ...others] = await tenantsCalled(db, idOrName);
  if (!tenant) throw new StartError(`There is no tenant ${JSON.stringify(idOrName)}; give its id or its name.`);
  if (others.length === 0) return tenant;
  const ids = [tenant, ...others].map(({ id }) => id).join(', ');
  throw new StartError(
    `There are ${others.length + 1} tenants called ${JSON.stringify(idOrName)}; give an id: ${ids}.`,
  );
}

type FoundCatalog = { readonly catalog: Catalog; readonly report: SyncReport; readonly source: string };

/** The config file speaks of the first tenant alone. */
async function catalogOf(settings: Settings, database: Database, tenant: Tenant): Promise<FoundCatalog> {
  const isFirst = (await findFirstTenant(database.db))?.id === tenant.id;
  const loaded = isFirst ? await loadConfig(settings.configFile) : null;
  if (!loaded) {
    const catalog = await loadCatalog(database.query, tenant.id);
    return { catalog, report: { saved: [], archived: [] }, source: 'the database' };
  }
  const foreseen = await foreseeConfig({ database, clock: systemClock }, tenant.id, loaded.definition);
  return { ...foreseen, source: settings.configFile ?? DEFAULT_CONFIG_FILE };
}

const say = (text: string): void => void process.stdout.write(text);

const COLOURS = { '+': 'green', '~': 'yellow', '^': 'cyan', '-': 'red' } as const;

const paint: Paint = (mark, text) => (process.stdout.hasColors?.() ? styleText(COLOURS[mark], text) : text);
