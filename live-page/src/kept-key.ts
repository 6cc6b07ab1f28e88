/**
 * kept-key — the API key that a reader has typed, for as long as the tab is open and no longer. It is never part of an
 * address, and no other tab or later visit sees it.
 */
const ITEM = 'metergraph-api-key';

/** Storage may be forbidden; then the key lasts until the next reload. */
function withStorage<T>(use: (storage: Storage) => T, otherwise: T): T {
  try {
    return use(sessionStorage);
  } catch {
    return otherwise;
  }
}

export const keptKey = (): string | null => withStorage((storage) => storage.getItem(ITEM), null);
export const keepKey = (key: string): void => withStorage((storage) => storage.setItem(ITEM, key), undefined);
export const forgetKey = (): void => withStorage((storage) => storage.removeItem(ITEM), undefined);
