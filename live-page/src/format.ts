/** format — numbers, money and times, as the meters on this page write them. Pure. */
import type { DateTime, Decimal, Money } from '@metergraph/client-sdk';

/** Of the whole page, its meters too: English, with a clock of 24 hours. */
export const LOCALE = 'en-US-u-hc-h23';

const numbers = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 9 });

/** Intl formats numeric strings digit by digit; its type asks for a literal, and ours come from the API. */
const exact = (decimal: Decimal) => decimal as Intl.StringNumericLiteral;

/** "1,234.5": every digit, none invented. */
export const formatNumber = (decimal: Decimal): string => numbers.format(exact(decimal));

/** "+3", "−2": with its sign, the typographic minus. */
export const formatChange = (decimal: Decimal): string =>
  decimal.startsWith('-') ? `−${formatNumber(decimal.slice(1))}` : `+${formatNumber(decimal)}`;

/** "4.2 ms", "38 ms"; of several, "38 + 12 ms". */
export const formatLatency = (...ms: readonly number[]): string =>
  `${ms.map((one) => numbers.format(one < 10 ? Math.round(one * 10) / 10 : Math.round(one))).join(' + ')} ms`;

/** Minor units as "$0.10"; more digits where there are. */
export function formatMoney({ amount, currency }: Money): string {
  const style = { style: 'currency', currency } as const;
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat(LOCALE, style).resolvedOptions();
  // An exponent moves the point without a calculation.
  return new Intl.NumberFormat(LOCALE, { ...style, maximumFractionDigits: 12 }).format(exact(`${amount}E-${digits}`));
}

/** "14:03:22" today, "21 Nov, 14:03" on another day. */
export function formatTime(at: DateTime, now: number, timeZone?: string): string {
  const day = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'short', timeZone });
  const isToday = day.format(Date.parse(at)) === day.format(now);
  const shown = isToday
    ? ({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const)
    : ({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const);
  return new Intl.DateTimeFormat(LOCALE, { ...shown, timeZone }).format(Date.parse(at));
}
