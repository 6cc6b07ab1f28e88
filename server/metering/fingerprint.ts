/** fingerprint — the content of a call in one short text: the same key with another fingerprint is a conflict. */
import { createHash } from 'node:crypto';
import { formatUnits } from '../domain/units.ts';
import type { ConsumeRequest } from './consumption.ts';

/** Hashes what a caller chose, in one canonical order. Tenant and customer are part of where the key is kept. */
export function fingerprint({ featureKey, amount, mode, overrideKey, properties }: ConsumeRequest): string {
  const content = JSON.stringify([featureKey, formatUnits(amount), mode, overrideKey, properties]);
  return createHash('sha256').update(content).digest('base64url').slice(0, 22);
}
