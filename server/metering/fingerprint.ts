/** fingerprint — the content of a call in one short text: the same key with another fingerprint is a conflict. */
import { hash } from 'node:crypto';
import { formatUnits } from '../domain/units.ts';
import type { ConsumeRequest, Request } from './requests.ts';

/** Hashes what a caller chose, in one canonical order. */
export function fingerprint(request: Request): string {
  const content = request.kind === 'consume' ? contentOfConsume(request) : contentOf(request);
  return hash('sha256', content, 'base64url').slice(0, 22);
}

/** The same as `contentOf` in meaning, and far quicker: nearly every call is one of these. */
function contentOfConsume(call: ConsumeRequest): string {
  const { purpose, featureKey, amount, duration, mode, overrideKey, entityId, occurredAtMs, properties } = call;
  const units = formatUnits(amount);
  const content = [featureKey, units, mode, overrideKey, properties]; // all that the first version knew, whose keys are still kept
  const isPlain = purpose === 'use' && duration === null && entityId === null && occurredAtMs === null;
  return JSON.stringify(isPlain ? content : [...content, purpose, duration, entityId, occurredAtMs]);
}

/** Of whom, and under which key, is part of where an answer is kept; ids that a caller's retry makes anew say nothing. */
const NO_CONTENT: ReadonlySet<string> = new Set(['tenantId', 'customerId', 'referenceId', 'idempotencyKey', 'refusal']);

function contentOf(request: Exclude<Request, ConsumeRequest>): string {
  const generated = request.kind === 'reserve' ? 'reservationId' : request.kind === 'grant' ? 'grantId' : null;
  const entries = Object.entries(request)
    .filter(([name]) => !NO_CONTENT.has(name) && name !== generated)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries, (_, value: unknown) => (typeof value === 'bigint' ? formatUnits(value) : value));
}
