/** table — the objects of one kind in one account, in the order they came. */
import { missing } from './refusal.ts';

export class Table<Row extends { id: string }> {
  readonly #kind: string;
  readonly #rows = new Map<string, Row>();

  /** @param kind As Stripe calls it in `No such customer: 'x'`. */
  constructor(kind: string) {
    this.#kind = kind;
  }

  add(row: Row): Row {
    this.#rows.set(row.id, row);
    return row;
  }

  remove(id: string): void {
    this.#rows.delete(id);
  }

  find(id: string | null | undefined): Row | undefined {
    return id === null || id === undefined ? undefined : this.#rows.get(id);
  }

  /** @param param Of the request that named it. @throws Refusal `resource_missing`. */
  get(id: string, param?: string): Row {
    const row = this.#rows.get(id);
    if (!row) throw missing(this.#kind, id, param);
    return row;
  }

  /** The oldest first. */
  all(fits: (row: Row) => boolean = () => true): Row[] {
    return [...this.#rows.values()].filter(fits);
  }
}
