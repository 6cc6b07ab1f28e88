/** credit-grants — billing credits, promotional or paid for, which metered lines use up. */
import type Stripe from 'stripe';
import { type CreditGrant, type CreditTransaction, customerOf } from '../account.ts';
import { announce, change } from '../announce.ts';
import { credit, empty, isUsable, ledgerOf } from '../credits.ts';
import { page } from '../page.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { mergeMetadata, type Wire } from '../wire.ts';

export const creditGrantRoutes = [
  route<Stripe.Billing.CreditGrantCreateParams>('POST /v1/billing/credit_grants', create),
  route('GET /v1/billing/credit_grants/{}', ({ account, id }) => account.creditGrants.get(id)),
  route<Stripe.Billing.CreditGrantUpdateParams>('POST /v1/billing/credit_grants/{}', update),
  route('POST /v1/billing/credit_grants/{}/expire', expire),
  route('POST /v1/billing/credit_grants/{}/void', voidGrant),
  route<Stripe.Billing.CreditGrantListParams>('GET /v1/billing/credit_grants', ({ account, params, url }) => {
    const { customer } = params;
    return page(
      account.creditGrants.all((grant) => customer === undefined || grant.customer === customer),
      params,
      url,
    );
  }),
  route<Stripe.Billing.CreditBalanceSummaryRetrieveParams>('GET /v1/billing/credit_balance_summary', balance),
  route<Stripe.Billing.CreditBalanceTransactionListParams>(
    'GET /v1/billing/credit_balance_transactions',
    ({ account, params, url }) => {
      const { customer, credit_grant } = params;
      const fits = (transaction: CreditTransaction) =>
        (customer === undefined || account.creditGrants.get(transaction.credit_grant).customer === customer) &&
        (credit_grant === undefined || transaction.credit_grant === credit_grant);
      return page(account.creditTransactions.all(fits), params, url);
    },
  ),
];

function create({ account, params }: Call<Stripe.Billing.CreditGrantCreateParams>): CreditGrant {
  const {
    amount,
    applicability_config,
    category = 'promotional',
    effective_at,
    expires_at,
    metadata,
    name,
    priority,
  } = params;
  const customer = customerOf(account, `${params.customer}`, 'customer');
  const { monetary } = amount;
  if (!monetary || monetary.value < 1)
    throw invalid('The amount must be at least 1.', { param: 'amount[monetary][value]' });
  const now = account.now(customer.id);
  if (expires_at !== undefined && expires_at <= (effective_at ?? now))
    throw invalid('Must be after effective_at.', { param: 'expires_at' });
  const { scope } = applicability_config;
  const grant: CreditGrant = {
    id: account.newId('credgr_test'),
    object: 'billing.credit_grant',
    amount: { monetary, type: 'monetary' },
    applicability_config: { scope: scope.prices ? { prices: scope.prices } : { price_type: 'metered' } },
    category,
    created: now,
    customer: customer.id,
    customer_account: null,
    effective_at: effective_at ?? now,
    expires_at: expires_at ?? null,
    livemode: false,
    metadata: mergeMetadata(null, metadata),
    name: name ?? null,
    priority: priority ?? null,
    test_clock: customer.test_clock ?? null,
    updated: now,
    voided_at: null,
  };
  account.creditGrants.add(grant);
  credit(account, grant);
  announce(account, 'billing.credit_grant.created', grant);
  return grant;
}

function update({ account, params, id }: Call<Stripe.Billing.CreditGrantUpdateParams>): CreditGrant {
  const grant = account.creditGrants.get(id);
  const { expires_at, metadata } = params;
  return change(account, 'billing.credit_grant.updated', grant, {
    expires_at: expires_at === '' ? null : expires_at,
    metadata: mergeMetadata(grant.metadata, metadata),
    updated: account.now(grant.customer),
  });
}

function expire({ account, id }: Call): CreditGrant {
  const grant = account.creditGrants.get(id);
  empty(account, grant, 'credits_expired');
  return change(account, 'billing.credit_grant.updated', grant, { expires_at: account.now(grant.customer) });
}

/** @throws Refusal where some of it was used: that cannot be undone. */
function voidGrant({ account, id }: Call): CreditGrant {
  const grant = account.creditGrants.get(id);
  if (ledgerOf(account, grant) !== grant.amount.monetary?.value)
    throw invalid('A credit grant of which some was applied cannot be voided.');
  empty(account, grant, 'credits_voided');
  return change(account, 'billing.credit_grant.updated', grant, { voided_at: account.now(grant.customer) });
}

type Summary = Wire<Stripe.Billing.CreditBalanceSummary>;

function balance({ account, params }: Call<Stripe.Billing.CreditBalanceSummaryRetrieveParams>): Summary {
  const { filter } = params;
  const customer = customerOf(account, `${params.customer}`, 'customer');
  const grants = account.creditGrants.all(
    (grant) =>
      grant.customer === customer.id && (filter.credit_grant === undefined || grant.id === filter.credit_grant),
  );
  const currencies = [...new Set(grants.map(({ amount }) => amount.monetary?.currency ?? 'usd'))];
  const sum = (of: readonly CreditGrant[]) => of.reduce((total, grant) => total + ledgerOf(account, grant), 0);
  const balances = currencies.map((currency) => {
    const all = grants.filter(({ amount }) => amount.monetary?.currency === currency);
    const monetary = (value: number) => ({ monetary: { currency, value }, type: 'monetary' as const });
    return {
      available_balance: monetary(sum(all.filter((grant) => isUsable(account, grant)))),
      ledger_balance: monetary(sum(all)),
    };
  });
  return {
    object: 'billing.credit_balance_summary',
    balances,
    customer: customer.id,
    customer_account: null,
    livemode: false,
  };
}
