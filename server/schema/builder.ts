/** builder — the one Pothos builder that every module of this folder adds its types to. It defines none itself. */
import SchemaBuilder from '@pothos/core';
import type { Context } from '../context.ts';
import type { ParsedUnits, Units } from '../domain/units.ts';

export type SchemaTypes = typeof builder.$inferSchemaTypes;

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    /** What came in may not be a number at all: the mutation answers that, with the path of the field. */
    Decimal: { Input: ParsedUnits; Output: Units };
    /** Epoch milliseconds. */
    DateTime: { Input: number; Output: number };
    JSON: { Input: unknown; Output: unknown };
  };
}>({ defaultFieldNullability: false });

/** An enum of the domain's lower-case words, written upper case as GraphQL has it. In the order given. */
export function wordEnum<T extends string>(name: string, description: string, words: Readonly<Record<T, string>>) {
  type Values = { readonly [K in T as Uppercase<K>]: { readonly value: K; readonly description: string } };
  const entries = Object.entries<string>(words).map(([value, text]) => [
    value.toUpperCase(),
    { value, description: text },
  ]);
  const values = Object.fromEntries(entries) as Values; // fromEntries forgets which key has which value
  return builder.enumType(name, { description, values });
}
