/** identifier — what a message is called at Stripe, which takes each name once in 24 h. Sent again it is the same. */
import { hash } from 'node:crypto';

/** Names one period of a meter of a customer: all that a message's name is made of but its number. */
export type MeterPeriod = {
  readonly customerId: string;
  readonly featureKey: string;
  readonly periodStartMs: number;
};

const HASH_LENGTH = 20;

/** At most 100 characters. @param round How often it was sent anew, after Stripe said that it does not count. */
export function identifierOf(
  { customerId, featureKey, periodStartMs }: MeterPeriod,
  number: number,
  round = 0,
): string {
  const period = hash('sha256', `${featureKey}\n${periodStartMs}`).slice(0, HASH_LENGTH);
  return `mg_${customerId.replaceAll('-', '')}_${period}_${number}${round === 0 ? '' : `.${round}`}`;
}
