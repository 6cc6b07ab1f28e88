/** notice — what Stripe can't say as the catalog does. The rest is still kept there; people are told what is not. */

export const NOTICE_CODES = [
  'minimum_spend',
  'maximum_spend',
  'fractional_package',
  'fractional_tier',
  'too_precise',
  'too_large',
  'fee_without_use',
  'other_currency',
  'other_period',
  'own_price',
] as const;
export type NoticeCode = (typeof NOTICE_CODES)[number];

export type Notice = {
  readonly code: NoticeCode;
  /** In the words of the config file: `plans.pro.features.api_calls.price`. */
  readonly path: string;
  /** Read after the path: what was found, what becomes of it, what to do. */
  readonly sentence: string;
};
