/** format — numbers, money, units and dates in the reader's language, exact from decimal strings. Pure. */
import { shift } from './decimal.ts';
import type { Messages } from './messages.ts';

export type Money = { readonly amount: string; readonly currency: string };

export type Formats = {
  /** "1,234.5": every digit of the string, none invented. */
  number(decimal: string): string;
  /** "82%" of a whole number of percent. */
  percent(whole: bigint): string;
  /** Minor units as "$0.10", with more digits where the price has them: 0.5 cents is "$0.005". */
  money(money: Money): string;
  /** "1,000 calls", in the plural form of the language; a feature without unit is a bare number. */
  quantity(decimal: string, unit: string | null): string;
  /** The name of this many units, without the number. */
  unit(decimal: string, unit: string | null): string;
  /** "1 December"; with the year if it is not this one, with the time if it is near, "14:00" alone if it is today. */
  moment(iso: string, now: number): string;
};

export type Locale = {
  /** BCP 47, such as `de-DE`. Default: the page's language, or the engine's. */
  readonly locale?: string | undefined;
  /** IANA name for dates. Default: the engine's. */
  readonly timeZone?: string | undefined;
  readonly messages?: Messages | undefined;
};

const DAY_MS = 86_400_000;

/** A locale or time zone that the engine does not know is left out rather than failing the whole meter. */
export function createFormats(options: Locale): Formats {
  const { messages } = options;
  const locale = ifAccepted(options.locale, (tag) => new Intl.NumberFormat(tag));
  const timeZone = ifAccepted(options.timeZone, (zone) => new Intl.DateTimeFormat('en', { timeZone: zone }));
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 9 });
  const percents = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const plurals = new Intl.PluralRules(locale, { maximumFractionDigits: 9 });

  const unit = (decimal: string, name: string | null): string => {
    if (!name) return '';
    const category = plurals.select(Number(decimal)); // the category of a rounded number is that of the number
    const forms = messages?.units?.[name];
    if (forms) return forms[category] ?? forms.other ?? name;
    return category === 'one' || !isEnglish(numbers) ? name : englishPlural(name);
  };
  const number = (decimal: string): string => numbers.format(exact(decimal));

  return {
    number,
    unit,
    percent: (whole) => percents.format(exact(shift(String(whole), -2))),
    quantity: (decimal, name) => (name ? `${number(decimal)}\u00a0${unit(decimal, name)}` : number(decimal)),
    money({ amount, currency }) {
      const style = { style: 'currency', currency } as const;
      const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat(locale, style).resolvedOptions();
      const major = shift(amount, -digits);
      return new Intl.NumberFormat(locale, { ...style, maximumFractionDigits: 12 }).format(exact(major));
    },
    moment(iso, now) {
      const at = Date.parse(iso);
      const same = (options: Intl.DateTimeFormatOptions): boolean => {
        const format = new Intl.DateTimeFormat('en', { ...options, timeZone });
        return format.format(at) === format.format(now);
      };
      const time = { hour: 'numeric', minute: '2-digit' } as const;
      const day = { day: 'numeric', month: 'long' } as const;
      const shown = same({ dateStyle: 'short' })
        ? time
        : at - now < DAY_MS
          ? { ...day, ...time }
          : same({ year: 'numeric' })
            ? day
            : { ...day, year: 'numeric' as const };
      return unbroken(new Intl.DateTimeFormat(locale, { ...shown, timeZone }).formatToParts(at));
    },
  };
}

/** The text of a date that no narrow line breaks between its day and its month. */
function unbroken(parts: readonly Intl.DateTimeFormatPart[]): string {
  const isOfDay = (index: number): boolean => ['day', 'month'].includes(parts[index]?.type ?? '');
  return parts
    .map(({ value }, i) => (isOfDay(i - 1) && isOfDay(i + 1) ? value.replaceAll(' ', '\u00a0') : value))
    .join('');
}

function ifAccepted(value: string | undefined, accept: (value: string | undefined) => unknown): string | undefined {
  try {
    accept(value);
    return value;
  } catch {
    return undefined;
  }
}

/** Intl formats numeric strings digit by digit; the library's type asks for a literal, and ours come from the API. */
const exact = (decimal: string) => decimal as Intl.StringNumericLiteral;

const isEnglish = (numbers: Intl.NumberFormat): boolean => numbers.resolvedOptions().locale.startsWith('en');

/** Only plain lower-case words get an ending: "call" → "calls", but "GB", "ms", "calls" and "USD" stay. */
function englishPlural(unit: string): string {
  if (!/^[a-z][a-z -]*[a-z]{2}$/.test(unit) || /[^s]s$/.test(unit)) return unit;
  if (/[^aeiou]y$/.test(unit)) return `${unit.slice(0, -1)}ies`;
  return `${unit}${/(ss|x|ch|sh|z)$/.test(unit) ? 'es' : 's'}`;
}
