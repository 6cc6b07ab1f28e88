/**
 * look — a statement that a batch reads with, and where its rows go. Neither the number nor the text of the statements
 * depends on the size of the batch: every look takes arrays and finds each entry by a key.
 *
 * LATERAL pins the plans: one look-up per entry in an index, whatever the planner believes of the table. OFFSET 0 stands
 * where there is no LIMIT, or the planner would make it a join, for which it might read the whole table.
 */
import type { Row, Statement } from '../../db/client.ts';
import { type Units, unitsOf } from '../../domain/units.ts';
import type { CustomerState } from '../state.ts';

export type Customers = Map<string, CustomerState>;

/** One statement, and where its rows go. */
export type Look = {
  readonly statement: Statement;
  readonly read: (rows: readonly Row[], customers: Customers) => void;
};

/** Rows as their statement selects them: no driver knows that of a text, so it stands beside their type in each file. */
export const rowsAs = <R extends Row>(rows: readonly Row[]): readonly R[] => rows as readonly R[]; // as it says there

export const unique = (values: readonly string[]): string[] => [...new Set(values)];

export const unitsOr0 = (text: string | null): Units => (text === null ? 0n : unitsOf(text));

export const msOf = (at: Date | null): number | null => at?.getTime() ?? null;
