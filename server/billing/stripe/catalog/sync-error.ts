/** sync-error — why a catalog can't be brought to Stripe, as a sentence with what to do. */

export const SYNC_ERROR_CODES = ['refused', 'unreachable', 'in_the_way', 'unsettled'] as const;
export type SyncErrorCode = (typeof SYNC_ERROR_CODES)[number];

export class StripeSyncError extends Error {
  override readonly name = 'StripeSyncError';
  readonly code: SyncErrorCode;

  constructor(code: SyncErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
