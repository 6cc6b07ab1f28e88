/** fields — the parts of `schema.graphql` that several operations select, named once. */

export const MONEY = '{ amount currency }';
export const THRESHOLD = '{ kind value falling }';
export const USAGE = `{
  referenceId feature { key displayName unit } planKey entitled used reserved limit remaining enforcement value thresholds ${THRESHOLD}
  price { model unitAmount currency packageSize } period { start end } credits wallet ${MONEY} overage estimatedCost ${MONEY} cursor
}` as const;
export const ALERT = `{
  id referenceId featureKey threshold ${THRESHOLD} used limit raisedAt acknowledgedAt cursor
}` as const;
export const SPLIT = `{ included credits wallet overage walletCharge ${MONEY} overageCost ${MONEY} }` as const;
export const GRANT = `{
  id referenceId featureKey source amount remaining priority effectiveFrom expiresAt state renewsAt originId rolledOver createdAt
}` as const;
export const WALLET = `{ currency balance ${MONEY} floor ${MONEY} available ${MONEY} }` as const;
