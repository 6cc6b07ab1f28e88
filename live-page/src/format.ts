/** format — numbers and times in the reader's language. */
import type { DateTime, Decimal, Money } from '@metergraph/client-sdk';

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 9 });
const milliseconds = new Intl.NumberFormat('en', { maximumSignificantDigits: 2, maximumFractionDigits: 0 });

/** Intl formats numeric strings digit by digit; its type asks for a literal, and ours come from the API. */
const exact = (decimal: Decimal) => decimal as Intl.StringNumericLiteral;

/** "1,234.5": every digit, none invented. */
export const formatNumber = (decimal: Decimal): string => numbers.format(exact(decimal));

/** "+3", "−2": with its sign, the typographic minus. */
export const formatChange = (decimal: Decimal): string =>
  decimal.startsWith('-') ? `−${formatNumber(decimal.slice(1))}` : `+${formatNumber(decimal)}`;

/** "4 ms", "0.8 ms". */
export const formatLatency = (ms: number): string =>
  ms < 10 ? `${(Math.round(ms * 10) / 10).toString()} ms` : `${milliseconds.format(Math.round(ms))} ms`;

/** Minor units as "$0.10"; more digits where there are. */
export function formatMoney({ amount, currency }: Money): string {
  const style = { style: 'currency', currency } as const;
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat('en', style).resolvedOptions();
  // An exponent moves the point without a calculation.
  return new Intl.NumberFormat('en', { ...style, maximumFractionDigits: 12 }).format(exact(`${amount}E-${digits}`));
}

/** "14:03:22" today, "21 Nov, 14:03" on another day. */
export function formatTime(at: DateTime, now: number, timeZone?: string): string {
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'short', timeZone });
  const isToday = day.format(Date.parse(at)) === day.format(now);
  const shown = isToday
    ? ({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const)
    : ({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const);
  return new Intl.DateTimeFormat('en-GB', { ...shown, timeZone }).format(Date.parse(at));
}

/** "1,000 calls", as the meters count: "call" gets its plural, "GB" and "tokens" stay as they are. */
export function formatQuantity(decimal: Decimal, unit: string | null): string {
  const number = formatNumber(decimal);
  return unit === null ? number : `${number} ${decimal === '1' ? unit : plural(unit)}`;
}

const plural = (unit: string): string => (/^[a-z]{3,}$/.test(unit) && !unit.endsWith('s') ? `${unit}s` : unit);
