/**
 * Goal: a catalog that has changed is read once, however many miss it, and never gives way to an older one. Method: a
 * tenant's row in memory, and connections to it whose answers arrive when the test lets them.
 */
import { describe, expect, it } from 'vitest';
import { Catalogs } from './catalogs.ts';
import type { Query } from './client.ts';

const TENANT = '2ed6657d-e927-568b-95e1-2665a8aea6a2';

class Row {
  version = 1;
  reads = 0;
  failure: Error | null = null;
  readonly #waiting: (() => void)[] = [];

  /** Another connection; what it answers is of the instant of the question. */
  connect(): Query {
    const query = async () => {
      this.reads += 1;
      const row = { version: String(this.version), default_plan_key: null, features: [], plans: [] };
      await new Promise<void>((go) => this.#waiting.push(go));
      if (this.failure) throw this.failure;
      return [row];
    };
    return query as Query; // nobody asks it for other columns
  }

  /** Lets the nth of the answers that are on their way arrive. */
  answer(n = 0): void {
    const [go] = this.#waiting.splice(n, 1);
    go?.();
  }
}

function open() {
  const row = new Row();
  const [catalogs, query] = [new Catalogs(), row.connect()];
  const ask = (version: number, by = query) => catalogs.atVersion(by, TENANT, version).then((found) => found.version);
  return { row, ask };
}

describe('catalogs', () => {
  it('reads once for all who miss one version together, and never again', async () => {
    const { row, ask } = open();
    const asked = Promise.all([ask(1), ask(1), ask(1)]);
    row.answer();
    expect(await asked).toEqual([1, 1, 1]);
    expect(await ask(1)).toBe(1);
    expect(row.reads).toBe(1);
  });

  it('does not answer with a reading that began before the version was known', async () => {
    const { row, ask } = open();
    const early = ask(1);
    row.version = 2;
    const late = ask(2);
    row.answer();
    row.answer();
    expect(await Promise.all([early, late])).toEqual([1, 2]);
  });

  it('keeps the newer where an older reading arrives last', async () => {
    const { row, ask } = open();
    const early = ask(1);
    row.version = 2;
    const late = ask(2);
    row.answer(1);
    expect(await late).toBe(2);
    row.answer();
    expect(await early).toBe(2);
    expect(await ask(2)).toBe(2);
    expect(row.reads).toBe(2);
  });

  it('lets nobody wait for another connection, which may wait for his', async () => {
    const { row, ask } = open();
    const pool = ask(1);
    const transaction = ask(1, row.connect());
    row.answer(1);
    expect(await transaction).toBe(1);
    row.answer();
    expect(await pool).toBe(1);
  });

  it('reads again after a reading that failed', async () => {
    const { row, ask } = open();
    row.failure = new Error('the database is away');
    const asked = Promise.allSettled([ask(1), ask(1)]);
    row.answer();
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    row.failure = null;
    const again = ask(1);
    row.answer();
    expect(await again).toBe(1);
  });
});
