/** use-consume — asks the gate for a customer and feature, once or twice, and keeps the newest answer. */
import { type ConsumeInput, type Decimal, type MetergraphClient, MetergraphError } from '@metergraph/client-sdk';
import { useCallback, useRef, useState } from 'react';
import type { Answer, Outcome } from './describe-outcome.ts';

export type Consuming = {
  readonly outcome: Outcome | null;
  readonly isPending: boolean;
  readonly consume: (amount: Decimal) => void;
  /** The same call a second time, with the same idempotency key. */
  readonly consumeTwice: (amount: Decimal) => void;
};

export function useConsume(client: MetergraphClient, referenceId: string, featureKey: string): Consuming {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [pending, setPending] = useState(0);
  const presses = useRef(0);
  const shown = useRef(0);

  /** Quick presses may be answered out of order: an answer to an earlier one is not shown over a later one's. */
  const press = useCallback(async (ask: () => Promise<Outcome>) => {
    const number = ++presses.current;
    setPending((count) => count + 1);
    const answered = await ask().catch(failed);
    setPending((count) => count - 1);
    if (number < shown.current) return;
    shown.current = number;
    setOutcome(answered);
  }, []);

  const consume = useCallback(
    (amount: Decimal) =>
      void press(async () => ({ kind: 'once', answer: await timed(client, { referenceId, featureKey, amount }) })),
    [client, referenceId, featureKey, press],
  );
  const consumeTwice = useCallback(
    (amount: Decimal) =>
      void press(async () => {
        const idempotencyKey = newKey();
        const input = { referenceId, featureKey, amount, idempotencyKey };
        const first = await timed(client, input);
        return { kind: 'twice', idempotencyKey, first, second: await timed(client, input) };
      }),
    [client, referenceId, featureKey, press],
  );
  return { outcome, isPending: pending > 0, consume, consumeTwice };
}

/** `crypto.randomUUID` is there on secure pages only; a gateway in a local network is none. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

async function timed(client: MetergraphClient, input: ConsumeInput): Promise<Answer> {
  const startedAt = performance.now();
  const consumption = await client.consume(input);
  return { consumption, ms: performance.now() - startedAt };
}

function failed(error: unknown): Outcome {
  const code = error instanceof MetergraphError ? error.code : 'INTERNAL';
  return { kind: 'failed', code, message: error instanceof Error ? error.message : String(error) };
}
