/** stripe-report — what a person reads of a catalog at Stripe: what is to be done there, or was, and what it can't say. */
import { type Change, type ChangeLine, type ChangeMark, lineOfChange } from '../billing/stripe/catalog/change.ts';
import type { DesiredCatalog } from '../billing/stripe/catalog/desired.ts';
import type { Notice } from '../billing/stripe/catalog/notice.ts';

/** Puts a line into the colour of its mark; the identity where the output is no terminal. */
export type Paint = (mark: ChangeMark, text: string) => string;

export type Heading = {
  readonly tenantName: string;
  readonly mode: 'live' | 'test';
  /** Null is the platform's own. */
  readonly account: string | null;
  /** Where features and plans are from, as people are told. */
  readonly source: string;
};

export const headingOf = ({ tenantName, mode, account, source }: Heading): string =>
  `Tenant ${JSON.stringify(tenantName)} at Stripe, ${mode} mode, ${account === null ? 'the account of the key' : `account ${account}`}; features and plans from ${source}.\n\n`;

/** A line for each change, in columns that are as wide as the longest name of the catalog. */
export function changeLines({ products, meters, prices, knownProductIds }: DesiredCatalog, paint: Paint) {
  const names = [
    ...knownProductIds,
    ...products.map(({ id }) => id),
    ...meters.map(({ eventName }) => eventName),
    ...prices.map(({ lookupKey }) => lookupKey),
  ];
  const width = Math.max(0, ...names.map((name) => name.length));
  return (change: Change): string => {
    const { mark, noun, name, what } = lineOfChange(change);
    return `${paint(mark, `  ${mark} ${noun.padEnd('product'.length)}  ${name.padEnd(width)}  ${what}`)}\n`;
  };
}

const COUNTED: readonly (readonly [ChangeMark, string])[] = [
  ['+', 'new'],
  ['~', 'changed'],
  ['^', 'back again'],
  ['-', 'archived'],
];

/** `3 new, 1 archived, 12 as they should be`; what there is none of is left out. */
export function countOf(changes: readonly Change[], unchanged: number): string {
  const lines: readonly ChangeLine[] = changes.map(lineOfChange);
  const counts = COUNTED.map(([mark, word]) => [lines.filter((line) => line.mark === mark).length, word] as const);
  const said = [...counts, [unchanged, 'as they should be'] as const].filter(([count]) => count > 0);
  return said.length === 0 ? 'there is nothing to sell' : said.map(([count, word]) => `${count} ${word}`).join(', ');
}

/** What becomes otherwise at Stripe; nothing where nothing does. */
export function noticeLines(notices: readonly Notice[]): string {
  if (notices.length === 0) return '';
  const lines = notices.map(({ code, path, sentence }) => `  ! ${path} ${sentence}. [${code}]\n`);
  return `\nStripe does not say all of it as the catalog does:\n${lines.join('')}`;
}

/** How the database differs from the config file, or nothing. */
export function databaseLines({
  saved,
  archived,
}: {
  readonly saved: readonly string[];
  readonly archived: readonly string[];
}) {
  if (saved.length + archived.length === 0) return '';
  const parts = [
    ...(saved.length > 0 ? [`${saved.join(', ')} would be saved`] : []),
    ...(archived.length > 0 ? [`${archived.join(', ')} would be archived`] : []),
  ];
  return `\nThe database is not yet what the config says: ${parts.join(', and ')} by a gateway that starts with it. Until then customers are metered as before.\n`;
}
