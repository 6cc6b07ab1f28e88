/** outcomes — how calls ended, many of them or one. */
import { MeterError } from '../../server/domain/errors.ts';
import type { Consumption } from '../../server/metering/requests.ts';

/** Makes every call at once and says how each ended: `allowed`, a reason, or an error's code. */
export async function outcomesOf(calls: readonly Promise<Consumption>[]): Promise<string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((result) => {
    if (result.status === 'fulfilled') return result.value.denial?.reason ?? 'allowed';
    return result.reason instanceof MeterError ? result.reason.code : `bug: ${result.reason}`;
  });
}

export function tally(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The error that a call ended with. */
export async function errorOf(call: Promise<unknown>): Promise<MeterError> {
  const error = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof MeterError) return error;
  throw error;
}
