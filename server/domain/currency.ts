/** currency — ISO 4217 codes, in small letters as Stripe writes them, and how many digits a minor unit is away. */

const CODE = /^[a-z]{3}$/;

/**
 * What ISO 4217 says, where it is not two digits. `Intl` is not asked: it knows how prices are commonly written, which
 * is not how minor units are counted (a Hungarian price has no digits, and its minor unit is a hundredth), and its
 * answer changes from one version of the runtime to the next.
 */
const EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...'bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf'.split(' ').map((code) => [code, 0] as const),
  ...'bhd iqd jod kwd lyd omr tnd'.split(' ').map((code) => [code, 3] as const),
  ...'clf uyw'.split(' ').map((code) => [code, 4] as const),
]);
const EXPONENT_OF_MOST = 2;

/** How many digits of an amount in minor units lie behind the point: 2 for `usd`, 0 for `jpy`, 3 for `kwd`. */
export const exponentOf = (currency: string): number => EXPONENTS.get(currency) ?? EXPONENT_OF_MOST;

/** What is wrong with a currency, to be read after its name; null when nothing is. */
export const problemOfCurrency = (currency: string): string | null =>
  CODE.test(currency) ? null : `is ${JSON.stringify(currency)}; write the three small letters of ISO 4217, like "usd"`;
