/** access — whose request it is: the platform's, one of its connected accounts', or that of a meter event session. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Account } from './account.ts';
import { sessionExpired, unauthorized } from './refusal.ts';
import { accountOfToken } from './resources/meter-event-stream.ts';
import type { World } from './world.ts';

/** @throws Refusal for a key that is not this fake's; above all for a live one, which has no business in a test. */
export function accountOf(world: World, apiKey: string, headers: IncomingHttpHeaders): Account {
  const key = bearerOf(headers);
  if (key === undefined) throw unauthorized('You did not provide an API key.');
  if (/^[a-z]+_live_/.test(key)) throw unauthorized('This is a fake: it takes no live keys.');
  if (key !== apiKey) throw unauthorized(`Invalid API Key provided: ${key.slice(0, 8)}…`);
  const connected = headers['stripe-account'] ?? headers['stripe-context'];
  return connected === undefined || connected === '' ? world.platform : world.account(`${connected}`);
}

/** The account of a meter event session. @throws Refusal for a token that is none, or is one no more. */
export function accountOfSession(world: World, headers: IncomingHttpHeaders): Account {
  const account = accountOfToken(world.accounts, bearerOf(headers) ?? '');
  if (!account) throw sessionExpired();
  return account;
}

/** The SDK sends `Bearer key`; `curl -u key:` and the CLI send it as a user name. */
function bearerOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const [scheme, value] = authorization?.split(' ') ?? [];
  return scheme === 'Basic'
    ? Buffer.from(value ?? '', 'base64')
        .toString()
        .split(':')[0]
    : value;
}
