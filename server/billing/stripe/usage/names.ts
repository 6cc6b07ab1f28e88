/** names — what usage is called at Stripe. Derived, so that whoever makes a name again makes the same. */
import { hash } from 'node:crypto';

/** Names one period of a meter of a customer: all that a message's name is made of but its number. */
export type MeterPeriod = {
  readonly customerId: string;
  readonly featureKey: string;
  readonly periodStartMs: number;
};

/** Stripe takes 100 characters. */
const NAME_LENGTH_MAX = 100;
const HASH_LENGTH = 20;

/** A message's identifier. Stripe takes each once in 24 h, so sent again it is the same. */
export function identifierOf(
  { customerId, featureKey, periodStartMs }: MeterPeriod,
  number: number,
  round = 0,
): string {
  const period = hash('sha256', `${featureKey}\n${periodStartMs}`).slice(0, HASH_LENGTH);
  return `mg_${customerId.replaceAll('-', '')}_${period}_${number}${round === 0 ? '' : `.${round}`}`;
}

/** The event name of a feature's meter. */
export function meterNameOf(tenantId: string, featureKey: string): string {
  const name = `mg_${tenantId.replaceAll('-', '').slice(0, 12)}_${featureKey}`;
  if (name.length <= NAME_LENGTH_MAX) return name;
  return `${name.slice(0, NAME_LENGTH_MAX - HASH_LENGTH - 1)}_${hash('sha256', featureKey).slice(0, HASH_LENGTH)}`;
}
