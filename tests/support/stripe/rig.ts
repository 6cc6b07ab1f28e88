/** rig — a fake Stripe for a test or a file of them, and the official SDK that talks to it. */
import Stripe from 'stripe';
import { afterUse } from '../after-use.ts';
import { ManualClock } from '../clock.ts';
import { type FakeStripe, type FakeStripeOptions, startFakeStripe } from './index.ts';

export type StripeRig = { readonly stripe: FakeStripe; readonly sdk: Stripe; readonly clock: ManualClock };

/** Closed after the test or the file that opened it, which fails where anything was not as the SDK says. */
export async function openStripe(options: Partial<Omit<FakeStripeOptions, 'clock'>> = {}): Promise<StripeRig> {
  const clock = new ManualClock();
  const stripe = await startFakeStripe({ clock, ...options });
  afterUse(() => stripe.close());
  return { stripe, sdk: new Stripe(stripe.apiKey, stripe.sdkConfig), clock };
}

/** What a call is refused for, as `status type code: message`; a call that is not refused fails the test. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const answer = await call.catch((failure: unknown) => failure);
  if (!(answer instanceof Stripe.errors.StripeError)) throw new Error(`not refused: ${JSON.stringify(answer)}`);
  const { statusCode, rawType, type, code, message } = answer;
  return `${statusCode ?? 'no answer'} ${rawType ?? type}${code ? ` ${code}` : ''}: ${message}`;
}
