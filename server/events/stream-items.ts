/** stream-items — what a subscriber hears, as domain values; cursors are ready to be sent. */
import type { Alert } from '../domain/alert.ts';
import type { Usage } from '../domain/usage.ts';

export type CursorExpired = { readonly kind: 'cursor-expired'; readonly message: string };

export const EXPIRED: CursorExpired = {
  kind: 'cursor-expired',
  message: 'The cursor is too old to resume from; what follows starts from the current state.',
};

export type UsageDelta = { readonly kind: 'delta'; readonly usage: Usage; readonly cursor: string };

export type UsageStreamItem =
  | { readonly kind: 'snapshot'; readonly usages: readonly Usage[]; readonly cursor: string }
  | UsageDelta
  | CursorExpired;

export type AlertStreamItem =
  | { readonly kind: 'alert'; readonly alert: Alert; readonly cursor: string }
  | CursorExpired;

/** Newest usages of a tenant's customers since the last item. */
export type LiveUsage = { readonly usages: readonly Usage[]; readonly atMs: number };
