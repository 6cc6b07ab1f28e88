/** messages — every string the meter can show, in English, and how an app replaces them. */

/**
 * A template with `{name}` placeholders, or a function of the same values. Templates can be sent as JSON, so an HTML
 * attribute can carry a whole translation.
 */
export type Message = string | ((values: Readonly<Record<string, string>>) => string);

/** The forms of a unit by plural category (`one`, `few`, `other` …); `other` is used where one is missing. */
export type UnitForms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;

/**
 * The strings of the meter. Placeholders: `{used}`, `{limit}`, `{remaining}`, `{over}` are quantities with their unit
 * ("1,000 calls"), `{usedNumber}` is without, `{percent}` "82%", `{reset}` a date or time,
 * `{price}` and `{cost}` money, `{one}` one unit's name ("call"), `{at}` where a threshold stands, `{count}` a number.
 */
export const englishMessages = {
  // The figures
  ofLimit: 'of {limit}',
  noLimit: 'Unlimited',
  remaining: '{remaining} left',
  overBy: '{over} over',
  credits: '{credits} in credits',
  lessThanOnePercent: '<{percent}',
  resets: 'Resets {reset}',
  neverResets: 'Does not reset',
  valueText: '{usedNumber} of {limit}, {percent}',
  valueTextUnlimited: '{used} used, no limit',
  tick: 'Threshold at {at}',
  // A sign beside the colour
  near: 'Near the limit',
  passed: 'Threshold reached',
  full: 'Limit reached',
  over: 'Over the limit',
  nothingIncluded: 'Not included',
  // One sentence on what happens next
  nextRefusedUntil: 'At {limit}, requests are refused until {reset}.',
  nextRefused: 'At {limit}, requests are refused.',
  refusedUntil: 'Requests are refused until {reset}.',
  refused: 'Requests are refused: this limit does not reset.',
  nextPriced: 'Beyond {limit}, each {one} costs {price}.',
  priced: 'Each further {one} costs {price}.',
  pricedSoFar: 'Each further {one} costs {price}; {cost} so far.',
  pricedAfterCredits: 'After your credits, each {one} costs {price}.',
  pricedFromFirst: 'Each {one} costs {price}.',
  nextBilled: 'Beyond {limit}, further use is billed.',
  billed: 'Further use is billed.',
  billedSoFar: 'Further use is billed; {cost} so far.',
  billedAfterCredits: 'After your credits, use is billed.',
  nextAllowed: 'Beyond {limit}, requests still go through.',
  allowed: 'Requests still go through.',
  unlimited: 'No limit: nothing is refused.',
  zeroRefused: 'Your plan includes none, so requests are refused.',
  /** What one is called where the feature has no unit. */
  one: 'one',
  // Alerts
  alertFraction: '{percent} of {limit} used',
  alertFull: 'All {limit} used',
  alertUsed: '{at} used',
  alertRemaining: 'Only {at} left',
  dismiss: 'Dismiss alert: {text}',
  alerts: 'Alerts',
  moreAlerts: '{count} more',
  // States
  loading: 'Loading usage',
  stale: 'Reconnecting…',
  staleHint: 'These numbers may be behind.',
  live: 'Live',
  denied: 'No access to this meter',
  deniedHint: 'Your session may have ended. Sign in again, or ask whoever runs this page.',
  absent: 'Not in your plan',
  absentHint: 'Your current plan does not include this.',
  failed: 'Usage could not be loaded',
  failedHint: 'The connection to the meter failed.',
  retry: 'Try again',
  upgrade: 'Upgrade',
  fallbackTitle: 'Usage',
} satisfies Record<string, Message>;

export type MessageKey = keyof typeof englishMessages;

/** Any of the strings, and the forms of units by the unit's name: `{ units: { call: { one: 'Aufruf', other: 'Aufrufe' } } }`. */
export type Messages = Partial<Readonly<Record<MessageKey, Message>>> & {
  readonly units?: Readonly<Record<string, UnitForms>>;
};

/** Fills a message; a placeholder without a value stays as written, so that a typo is seen. */
export function say(
  messages: Messages | undefined,
  key: MessageKey,
  values: Readonly<Record<string, string>> = {},
): string {
  const message: Message = messages?.[key] ?? englishMessages[key];
  if (typeof message === 'function') return message(values);
  return message.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}
