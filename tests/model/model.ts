/**
 * model — the whole metering engine again, small and slow, from its rules alone: what it says to each request is what the
 * real one has to say. It takes the real one's requests and keeps one book for each customer.
 */
import type { ConsumeRequest, Request } from '../../server/metering/requests.ts';
import type { Book } from './book.ts';
import { definitionOf } from './catalog.ts';
import { restart, reverse } from './correcting.ts';
import { commit, release, reserve } from './holding.ts';
import { grant, topUp, voidGrant } from './prepaying.ts';
import { settle } from './settling.ts';
import { refusedWith, type Told } from './told.ts';
import { use } from './using.ts';

/** What the model says to a request, which it then remembers as told. */
export function tell(book: Book, request: Request, nowMs: number): Told {
  settle(book, nowMs);
  const key = request.idempotencyKey;
  if (key === null) return answerTo(book, request, nowMs);
  const content = JSON.stringify(request, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  const earlier = book.answers.get(key);
  if (earlier)
    return earlier.content === content ? { ...earlier.told, replayed: true } : refusedWith('IDEMPOTENCY_CONFLICT');
  const told = answerTo(book, request, nowMs);
  if (!('error' in told)) book.answers.set(key, { content, told });
  return told;
}

/** What `consume` would say now; nothing is remembered. */
export function foretell(book: Book, request: ConsumeRequest, nowMs: number): Told {
  const told = tell(structuredClone(book), { ...request, idempotencyKey: null }, nowMs);
  return 'alerts' in told ? { ...told, alerts: '' } : told; // an alert is a stored fact
}

function answerTo(book: Book, request: Request, nowMs: number): Told {
  switch (request.kind) {
    case 'consume':
      return consume(book, request, nowMs);
    case 'reserve':
      return reserve(book, request, nowMs);
    case 'commit':
      return commit(book, request, nowMs);
    case 'release':
      return release(book, request.reservationId, nowMs);
    case 'grant':
      return grant(book, request, nowMs);
    case 'void-grant':
      return voidGrant(book, request.grantId, nowMs);
    case 'top-up':
      return topUp(book, request.amount, nowMs);
    case 'reverse':
      return reverse(book, request.sequence, nowMs);
    case 'reset':
      return restart(book, request.featureKey, nowMs);
    case 'settle':
      return {};
    default:
      throw new RangeError(`the model knows no ${request.kind}`);
  }
}

/** How long ago use may have occurred that is told of now. */
const OLDEST_MS = 35 * 86_400_000;

function consume(book: Book, request: ConsumeRequest, nowMs: number): Told {
  const atMs = request.occurredAtMs ?? nowMs;
  if (nowMs - atMs > OLDEST_MS) return refusedWith('INVALID_TIMESTAMP');
  const { featureKey, amount, mode, purpose, entityId } = request;
  return use(book, { featureKey, amount, mode, purpose, entityId, value: countedValue(request), atMs }, nowMs);
}

function countedValue({ featureKey, properties }: ConsumeRequest): string | null {
  const { of } = definitionOf(featureKey);
  return of && properties ? JSON.stringify(JSON.parse(properties)[of]) : null;
}
