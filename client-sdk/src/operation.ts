/** operation — the text of a document, and what goes in and comes out of it. */
import type { Json } from './value-types.ts';

/** The text of one operation. `Data` and `Variables` exist only for the type checker. */
export interface Operation<Data, Variables> {
  readonly text: string;
  readonly types?: (variables: Variables) => Data;
}

/** The result of an operation. */
export type DataOf<O> = O extends Operation<infer Data, infer _Variables> ? Data : never;

/** Variables as callers have them: lists may be readonly, and what may be left out may be undefined, for JSON drops it. */
export type Sent<T> = Json extends T
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Sent<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Sent<T[K]> | (object extends Pick<T, K> ? undefined : never) }
      : T;
