/** mute — alerts of a customer that are stored and not told, for a while or until told otherwise. */

/** Of one feature, or of all where `featureKey` is null; until an instant, or without end where `untilMs` is null. */
export type Mute = { readonly featureKey: string | null; readonly untilMs: number | null };

/** Whether an alert of this feature, raised at this instant, is to be told to nobody. */
export const isMuted = (mutes: readonly Mute[], featureKey: string, atMs: number): boolean =>
  activeMutes(mutes, atMs).some((mute) => mute.featureKey === null || mute.featureKey === featureKey);

/** Those that have not run out. */
export const activeMutes = (mutes: readonly Mute[], atMs: number): readonly Mute[] =>
  mutes.filter(({ untilMs }) => untilMs === null || atMs < untilMs);

/** With one more, in place of what was said of the same feature; what has run out is forgotten. */
export const muted = (mutes: readonly Mute[], mute: Mute, atMs: number): readonly Mute[] => [
  ...activeMutes(mutes, atMs).filter(({ featureKey }) => featureKey !== mute.featureKey),
  mute,
];

/** Without the one of this feature; without any where the feature is null. */
export const unmuted = (mutes: readonly Mute[], featureKey: string | null, atMs: number): readonly Mute[] =>
  featureKey === null ? [] : activeMutes(mutes, atMs).filter((mute) => mute.featureKey !== featureKey);
