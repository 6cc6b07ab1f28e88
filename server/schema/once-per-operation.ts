/** once-per-operation — what is fetched at most once in an operation, however many fields ask. */
import type { Context } from '../context.ts';

/** Makes a getter whose value is made once per operation, or once per mutation where an operation has several. */
export function oncePerOperation<T>(make: (context: Context) => T): (context: Context) => T {
  return (context) => {
    // What this very function put there: the map has many owners, so it cannot know the type.
    if (context.memo.has(make)) return context.memo.get(make) as T;
    const made = make(context);
    context.memo.set(make, made);
    return made;
  };
}

/** A mutation changes what earlier ones of the same operation have read. */
export const forget = (context: Context): void => context.memo.clear();
