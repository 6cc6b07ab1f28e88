/** target — what we want a figure to reach, and whether it does. */

export type Target = { readonly atLeast: number } | { readonly atMost: number } | { readonly below: number };

/** E.g. `≤ 50 reached`; a dash where nothing is wanted. What is no number reaches nothing. */
export function verdict(target: Target | null, value: number): string {
  if (target === null) return '–';
  const [wanted, isReached] = judged(target, value);
  return `${wanted} ${isReached ? 'reached' : 'not yet'}`;
}

function judged(target: Target, value: number): readonly [wanted: string, isReached: boolean] {
  if ('atLeast' in target) return [`≥ ${target.atLeast}`, value >= target.atLeast];
  if ('atMost' in target) return [`≤ ${target.atMost}`, value <= target.atMost];
  return [`< ${target.below}`, value < target.below];
}
