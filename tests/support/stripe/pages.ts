/** pages — the page on which a customer pays, as far as a browser test needs it: one button to pay, one to go back. */
import { complete } from './checkout.ts';
import type { Received } from './exchange.ts';
import type { World } from './world.ts';

export type Page = { readonly status: number; readonly location?: string; readonly html?: string };

const PATH = /^\/pay\/([^/]+)\/([^/]+)$/;

/** Of a path that is a page; else undefined. */
export function pageOf(world: World, { method, path }: Received): Page | undefined {
  const [, accountId, id] = PATH.exec(path) ?? [];
  if (accountId === undefined || id === undefined) return undefined;
  const account = world.account(accountId);
  const session = account.checkouts.find(id);
  if (session?.status !== 'open') return { status: 410, html: 'This checkout session is over.' };
  if (method !== 'POST') return { status: 200, html: htmlOf(session) };
  complete(account, session);
  return { status: 303, location: `${session.success_url}`.replace('{CHECKOUT_SESSION_ID}', id) };
}

const htmlOf = ({
  amount_total,
  currency,
  cancel_url,
}: {
  amount_total: number | null;
  currency: string | null;
  cancel_url: string | null;
}): string =>
  `<!doctype html><title>Checkout</title>
<form method="post"><button>Pay ${amount_total} ${currency}</button></form>
<a href="${cancel_url ?? '#'}">Back</a>`;
