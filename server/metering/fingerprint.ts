/** fingerprint — the content of a call in one short text: the same key with another fingerprint is a conflict. */
import { createHash } from 'node:crypto';
import { formatUnits } from '../domain/units.ts';
import type { Request } from './requests.ts';

/** Of whom, and under which key, is part of where an answer is kept; ids that the caller's retry makes anew are none. */
const NO_CONTENT: ReadonlySet<string> = new Set(['tenantId', 'customerId', 'referenceId', 'idempotencyKey', 'refusal']);

/** Hashes what a caller chose, in one canonical order. */
export function fingerprint(request: Request): string {
  const generated = request.kind === 'reserve' ? 'reservationId' : request.kind === 'grant' ? 'grantId' : null;
  const entries = Object.entries(request)
    .filter(([name]) => !NO_CONTENT.has(name) && name !== generated)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const content = JSON.stringify(entries, (_, value: unknown) =>
    typeof value === 'bigint' ? formatUnits(value) : value,
  );
  return createHash('sha256').update(content).digest('base64url').slice(0, 22);
}
