/** page-language — the language of the page, for numbers and dates where no locale is given. */

/** `<html lang>`; the engine's own language where the page has none, and on a server. */
export function pageLanguage(): string | undefined {
  return typeof document === 'undefined' ? undefined : document.documentElement.lang || undefined;
}
