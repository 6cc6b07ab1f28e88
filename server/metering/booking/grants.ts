/** grants — books what happens to grants other than by use: they are given, renew, end, are voided. */
import type { GrantChange } from '../../domain/grant.ts';
import { type EntryKind, move, type Place } from '../../domain/posting.ts';
import type { Draft } from '../draft.ts';
import type { CustomerState } from '../state.ts';

/** The grants as they are from now on, and a posting for each movement of their units. */
export function bookGrantChanges(
  draft: Draft,
  customer: CustomerState,
  featureKey: string,
  changes: readonly GrantChange[],
  { kind, sequence }: { readonly kind: Extract<EntryKind, 'grant' | 'renewal' | 'void'>; readonly sequence: bigint },
): void {
  const grants = changes.map(({ grant }) => grant);
  draft.putGrants(customer, featureKey, grants, sequence);
  for (const { grant, movements } of changes) {
    const place: Place = { account: 'grant', grantId: grant.id };
    for (const { kind: why, units } of movements) {
      const postings =
        why === 'granted'
          ? move(units, featureKey, featureKey, { account: 'issued' }, place)
          : move(units, featureKey, featureKey, place, { account: why });
      draft.post(customer, sequence, kind, postings);
    }
  }
}
