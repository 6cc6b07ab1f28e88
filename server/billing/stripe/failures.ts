/** failures — what Stripe refuses, in our words. */
import Stripe from 'stripe';
import { MeterError } from '../../domain/errors.ts';

/** Does what asks Stripe for a caller who waits for it. @throws {MeterError} `IDEMPOTENCY_CONFLICT`, `BILLING_UNAVAILABLE` */
export async function inOurWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toldOf(error) ?? error;
  }
}

/** @returns null for what is nobody's to mend but ours. */
function toldOf(error: unknown): MeterError | null {
  if (error instanceof Stripe.errors.StripeIdempotencyError) {
    const sentence = 'The idempotency key was first sent with other content: send a new key with a new request.';
    return new MeterError('IDEMPOTENCY_CONFLICT', sentence, { path: ['input', 'idempotencyKey'] });
  }
  if (!isPassing(error)) return null;
  const sentence = 'Stripe did not answer as it should; send the call again with the same idempotency key.';
  return new MeterError('BILLING_UNAVAILABLE', sentence);
}

/** Whether the same request may succeed later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeConnectionError ||
  error instanceof Stripe.errors.StripeRateLimitError ||
  error instanceof Stripe.errors.StripeAPIError;

/** What asks for something that Stripe may no longer have: that was deleted, or belongs to the other mode. */
export async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing') return null;
    throw error;
  }
}
