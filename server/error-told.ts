/**
 * error-told — what a log line says of an error.
 *
 * Errors of Stripe carry along whole objects of the customer's: payments with their secrets, cards, names and addresses,
 * and the answer as it came. Of them only what helps to find the request at Stripe is told, wherever they are in another.
 */
import { stdSerializers } from 'pino';

export const errorTold = (error: unknown): unknown =>
  error instanceof Error ? told({ ...stdSerializers.err(error) }) : error;

type Fields = Readonly<Record<string, unknown>>;

/** Fields of errors inside are errors that were told, too; everything else in them stays as it is. */
function told(fields: Fields): Fields {
  if (isOfStripe(fields)) {
    const { type, code, requestId, message, stack } = fields;
    return { type, code, requestId, message, stack };
  }
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, within(value)]));
}

function within(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(within);
  if (value instanceof Error) return errorTold(value);
  return isTold(value) ? told(value) : value;
}

const isTold = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;

/** By its looks: the log knows nothing of who throws. */
const isOfStripe = (fields: Fields): boolean => 'rawType' in fields && 'requestId' in fields;
