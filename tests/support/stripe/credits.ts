/** credits — billing credits, which pay for metered lines when an invoice is finalized. */
import type { Account, CreditGrant, CreditTransaction, Invoice, InvoiceLine } from './account.ts';
import { withLines } from './new-invoice.ts';

const PRIORITY_DEFAULT = 50;

/** What is left of a grant, whether or not it can be used now. */
export const ledgerOf = (account: Account, grant: CreditGrant): number =>
  account.creditTransactions
    .all(({ credit_grant }) => credit_grant === grant.id)
    .reduce(
      (left, { credit, debit }) => left + (credit?.amount.monetary?.value ?? 0) - (debit?.amount.monetary?.value ?? 0),
      0,
    );

export function isUsable(account: Account, grant: CreditGrant): boolean {
  const now = account.now(grant.customer);
  const hasBegun = (grant.effective_at ?? grant.created) <= now;
  return hasBegun && grant.voided_at === null && (grant.expires_at === null || grant.expires_at > now);
}

/** The lower priority number first, then what expires sooner, what was a gift, what began earlier, what was made earlier. */
export function byUse(a: CreditGrant, b: CreditGrant): number {
  const keys = ({ priority, expires_at, category, effective_at, created }: CreditGrant) => [
    priority ?? PRIORITY_DEFAULT,
    expires_at ?? Number.POSITIVE_INFINITY,
    category === 'promotional' ? 0 : 1,
    effective_at ?? created,
    created,
  ];
  const [left, right] = [keys(a), keys(b)];
  const index = left.findIndex((key, at) => key !== right[at]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}

/** Pays for what it can of the lines with usage. */
export function applyCredits(account: Account, invoice: Invoice): void {
  const grants = account.creditGrants
    .all((grant) => grant.customer === invoice.customer && isUsable(account, grant))
    .filter(({ amount }) => amount.monetary?.currency === invoice.currency)
    .sort(byUse);
  for (const line of invoice.lines.data) for (const grant of grants) applyTo(account, invoice, line, grant);
  withLines(invoice, invoice.lines.data);
}

function applyTo(account: Account, invoice: Invoice, line: InvoiceLine, grant: CreditGrant): void {
  const price = account.prices.find(line.pricing?.price_details?.price);
  if (price?.recurring?.usage_type !== 'metered' || !isInScope(grant, price.id)) return;
  const applied = line.pretax_credit_amounts ?? [];
  const left = line.amount - applied.reduce((sum, { amount }) => sum + amount, 0);
  const value = Math.min(left, ledgerOf(account, grant));
  if (value <= 0) return;
  const transaction = debit(account, grant, value, { invoice: invoice.id, invoice_line_item: line.id });
  line.pretax_credit_amounts = [
    ...applied,
    { amount: value, credit_balance_transaction: transaction.id, type: 'credit_balance_transaction' },
  ];
}

const isInScope = ({ applicability_config: { scope } }: CreditGrant, price: string): boolean =>
  scope.prices === undefined || scope.prices.some(({ id }) => id === price);

function debit(
  account: Account,
  grant: CreditGrant,
  value: number,
  applied: { invoice: string; invoice_line_item: string } | null,
): CreditTransaction {
  const monetary = { currency: grant.amount.monetary?.currency ?? 'usd', value };
  return account.creditTransactions.add({
    ...bare(account, grant),
    debit: {
      amount: { monetary, type: 'monetary' },
      credits_applied: applied,
      type: applied ? 'credits_applied' : 'credits_expired',
    },
    type: 'debit',
  });
}

/** Takes what is left. */
export function empty(account: Account, grant: CreditGrant, type: 'credits_expired' | 'credits_voided'): void {
  const left = ledgerOf(account, grant);
  if (left === 0) return;
  const transaction = debit(account, grant, left, null);
  if (transaction.debit) transaction.debit.type = type;
}

export function credit(account: Account, grant: CreditGrant): void {
  account.creditTransactions.add({
    ...bare(account, grant),
    credit: { amount: grant.amount, credits_application_invoice_voided: null, type: 'credits_granted' },
    type: 'credit',
  });
}

const bare = (account: Account, grant: CreditGrant): CreditTransaction => ({
  id: account.newId('cbtxn'),
  object: 'billing.credit_balance_transaction',
  created: account.now(grant.customer),
  credit: null,
  credit_grant: grant.id,
  debit: null,
  effective_at: grant.effective_at ?? account.now(grant.customer),
  livemode: false,
  test_clock: grant.test_clock,
  type: null,
});
