/**
 * form — `items[0][price]=x&metadata[a]=` as Stripe reads it: nested objects and lists, all of whose leaves are strings,
 * until the schema tells which of them are numbers and booleans.
 */
import type { Schema } from './schema-from-sdk.ts';

type Nested = { [key: string]: Nested | string };

/** Lists come out as objects with the keys `0`, `1`, …: only the schema can tell which they are. */
export function decodeForm(body: string): Nested {
  const root: Nested = {};
  for (const [key, value] of new URLSearchParams(body)) {
    const path = key.split(/\]\[|\[|\]$/).filter((part, index) => part !== '' || index === 0);
    put(root, key.endsWith('[]') ? [...path, `${countAt(root, path)}`] : path, value);
  }
  return root;
}

function put(root: Nested, path: readonly string[], value: string): void {
  let at = root;
  for (const key of path.slice(0, -1)) {
    const inside = at[key];
    const next = typeof inside === 'object' ? inside : {};
    at[key] = next;
    at = next;
  }
  at[path.at(-1) ?? ''] = value;
}

/** How many a list has that is written without indexes, `expand[]=a`. */
function countAt(root: Nested, path: readonly string[]): number {
  let at: Nested | string | undefined = root;
  for (const key of path) at = typeof at === 'object' ? at[key] : undefined;
  return typeof at === 'object' ? Object.keys(at).length : 0;
}

/**
 * Numbers, booleans and lists where the schema has them. What fits nothing is left as it is, for the validator to tell.
 *
 * @param deref What a `$ref` points to.
 */
export function coerce(value: unknown, schema: Schema, deref: (ref: string) => Schema): unknown {
  for (const branch of branchesOf(schema, deref)) {
    const fitting = coerceTo(branch, value, deref);
    if (fitting !== undefined) return fitting;
  }
  return value;
}

function coerceTo(schema: Schema, value: unknown, deref: (ref: string) => Schema): unknown {
  if (typeof value === 'string') return coerceLeaf(schema, value);
  if (value === null || typeof value !== 'object') return undefined;
  const entries = Object.entries(value);
  if (schema.type === 'array') {
    const items = schema.items as Schema; // every list that the converter writes has them
    return entries.every(([key], index) => key === `${index}`)
      ? entries.map(([, item]) => coerce(item, items, deref))
      : undefined;
  }
  if (schema.type !== 'object') return undefined;
  const properties = (schema.properties ?? {}) as { readonly [name: string]: Schema };
  const others = typeof schema.additionalProperties === 'object' ? (schema.additionalProperties as Schema) : {};
  return Object.fromEntries(entries.map(([key, inside]) => [key, coerce(inside, properties[key] ?? others, deref)]));
}

function coerceLeaf(schema: Schema, text: string): unknown {
  if (Array.isArray(schema.enum)) return schema.enum.find((allowed) => `${allowed}` === text);
  if (schema.type === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return schema.type === 'string' ? text : undefined;
}

/** The most particular first, `now`; and text before a number, where both may be: metadata stays as it was written. */
function branchesOf(schema: Schema, deref: (ref: string) => Schema): Schema[] {
  if (typeof schema.$ref === 'string') return branchesOf(deref(schema.$ref), deref);
  if (!Array.isArray(schema.anyOf)) return [schema];
  const branches = (schema.anyOf as Schema[]).flatMap((branch) => branchesOf(branch, deref));
  return branches.sort((a, b) => rank(a) - rank(b));
}

const rank = ({ enum: values, type }: Schema): number => (values ? 0 : type === 'string' ? 1 : 2);
