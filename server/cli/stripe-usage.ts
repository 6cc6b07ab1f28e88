/** stripe-usage — dead letters to see and send again, and the ledger beside Stripe's sums, from the command line. */
import type { Command } from 'commander';
import { connectStripe } from '../billing/stripe/client.ts';
import {
  buryDelivered,
  type DeadLetter,
  findDeadLetters,
  isOfUnknownFate,
  resendDeadLetters,
  spellDeadLetter,
} from '../billing/stripe/usage/dead-letters.ts';
import { DIFFERENCES, isSound } from '../billing/stripe/usage/differences.ts';
import { Meters } from '../billing/stripe/usage/meters.ts';
import { payersIn } from '../billing/stripe/usage/payers.ts';
import { type Reconciled, reconcile } from '../billing/stripe/usage/reconcile.ts';
import { systemClock } from '../domain/clock.ts';
import { formatUnits } from '../domain/units.ts';
import { REPORTED_BACK_MAX_MS } from '../domain/usage-report.ts';
import { reasonOf, StartError } from '../start-error.ts';
import { type StripeFlags, telling, tenantOf } from './stripe.ts';

type LetterFlags = StripeFlags & { readonly all?: boolean; readonly arrived?: boolean; readonly missing?: boolean };

/** @param stripe The command that these are under. */
export function addUsageCommands(stripe: Command): void {
  const letters = stripe.command('dead-letters').description('usage that Stripe will not bill as it is');
  withPlace(letters.command('list'))
    .description('tells them, the oldest first; ends with 1 where there are any')
    .action((flags: LetterFlags) => runListLetters(flags));
  withPlace(letters.command('resend [identifiers...]'))
    .description('sends them again, by another name where Stripe has said that they do not count')
    .option('--all', 'every one of the tenant')
    .option('--missing', 'of unknown fate: they are not at Stripe; sends them under another name')
    .option('--arrived', 'of unknown fate: they are at Stripe; sends nothing, and takes them for delivered')
    .action((identifiers: readonly string[], flags: LetterFlags) => runResendLetters(identifiers, flags));
  withPlace(letters.command('bury <identifiers...>'))
    .description('makes dead letters of messages that Stripe had accepted and does not count; then send them again')
    .action((identifiers: readonly string[], flags: StripeFlags) => runBuryLetters(identifiers, flags));
  withPlace(stripe.command('reconcile'))
    .description('compares the ledger with what Stripe counts, for each customer, meter and period')
    .action((flags: StripeFlags) => runReconcile(flags));
}

const withPlace = (command: Command): Command =>
  command
    .option('--tenant <id or name>', 'another than the first')
    .option('--data-dir <folder>', 'of the embedded database, which must not be in use');

export const runListLetters = (flags: StripeFlags): Promise<void> =>
  telling(flags, async (_settings, { db, query }) => {
    const tenant = await tenantOf(db, flags.tenant);
    const letters = await findDeadLetters(query, tenant.id);
    for (const letter of letters) say(`${spellDeadLetter(letter)}\n`);
    say(
      letters.length === 0
        ? 'There are no dead letters.\n'
        : `\n${letters.length} dead ${letters.length === 1 ? 'letter' : 'letters'}.\n`,
    );
    if (letters.length > 0) process.exitCode = 1;
  });

export const runResendLetters = (identifiers: readonly string[], flags: LetterFlags): Promise<void> =>
  telling(flags, async (_settings, { db, query }) => {
    const { all = false, arrived = false, missing = false } = flags;
    if (all === identifiers.length > 0) throw new StartError('Name dead letters as `list` shows them, or say --all.');
    if (arrived && missing) throw new StartError('They are at Stripe (--arrived) or not (--missing); say one of them.');
    const tenant = await tenantOf(db, flags.tenant);
    const found = await findDeadLetters(query, tenant.id, all ? null : identifiers);
    const fate = arrived ? 'arrived' : missing ? 'missing' : null;
    const refused = arrived ? found.filter((letter) => !isOfUnknownFate(letter)) : [];
    const of = { tenantId: tenant.id, identifiers: found.map(({ identifier }) => identifier), fate } as const;
    const count = await resendDeadLetters(query, of, systemClock.now());
    say(arrived ? `${count} taken for delivered.\n` : `${count} will be sent again by the next gateway that runs.\n`);
    if (refused.length > 0) say(spellRefused(refused));
    const unknown = identifiers.filter((named) => !of.identifiers.includes(named));
    if (unknown.length > 0) throw new StartError(`No dead letters of this tenant are: ${unknown.join(', ')}.`);
    if (refused.length > 0) process.exitCode = 1;
  });

export const runBuryLetters = (identifiers: readonly string[], flags: StripeFlags): Promise<void> =>
  telling(flags, async (_settings, { db, query }) => {
    const tenant = await tenantOf(db, flags.tenant);
    const buried = await buryDelivered(query, { tenantId: tenant.id, identifiers }, systemClock.now());
    say(`${buried.length} dead ${buried.length === 1 ? 'letter' : 'letters'} more.\n`);
    const unknown = identifiers.filter((named) => !buried.includes(named));
    if (unknown.length > 0)
      throw new StartError(`No messages of this tenant that Stripe had accepted are: ${unknown.join(', ')}.`);
  });

/** Those that were said to have arrived, and can't have. */
function spellRefused(letters: readonly DeadLetter[]): string {
  const codes = [...new Set(letters.map(({ code }) => code))];
  const counts = codes.map((code) => `${letters.filter((letter) => letter.code === code).length} ${code}`).join(', ');
  return `${letters.length} left as they are, since Stripe has not taken them: ${counts}. Mend what they say, and send them again without --arrived.\n`;
}

export const runReconcile = (flags: StripeFlags): Promise<void> =>
  telling(flags, async ({ stripeSecretKey: secretKey, stripeApiBase: apiBase }, { db, query }) => {
    if (secretKey === null) throw new StartError('STRIPE_SECRET_KEY is not set: without it billing is off.');
    const tenant = await tenantOf(db, flags.tenant);
    const meters = new Meters(connectStripe({ secretKey, apiBase }));
    const range = { tenantId: tenant.id, endedAfterMs: systemClock.now() - REPORTED_BACK_MAX_MS };
    let rows = 0;
    let troubled = 0;
    const onUnread = (error: unknown) => void process.stderr.write(`${reasonOf(error)}\n`);
    const deps = { query, clock: systemClock, meters, payersOf: payersIn(query), onUnread };
    for await (const row of reconcile(deps, range)) {
      rows += 1;
      if (!isSound(row)) troubled += 1;
      if (row.differences.size > 0) say(spell(row));
    }
    say(`${rows} compared, ${troubled} of which differ by something that does not go by itself.\n`);
    if (troubled > 0) process.exitCode = 1;
  });

function spell(row: Reconciled): string {
  const { referenceId, featureKey, periodStartMs, overage, counted, differences } = row;
  const period = new Date(periodStartMs).toISOString();
  const atStripe = counted === null ? 'nothing' : formatUnits(counted);
  const lines = [...differences].map(([name, units]) => `      ${formatUnits(units)}  ${name}: ${DIFFERENCES[name]}\n`);
  return `${isSound(row) ? ' ' : '!'} ${referenceId} ${featureKey} ${period}: ${formatUnits(overage)} here, ${atStripe} at Stripe\n${lines.join('')}`;
}

const say = (text: string): void => {
  process.stdout.write(text);
};
