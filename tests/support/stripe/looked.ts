/** looked — parameters that remember which of them were looked at: what the fake passes over, a test must not rely on. */

export type Looked<Params> = { readonly params: Params; readonly passedOver: () => string[] };

export function looked<Params extends object>(params: Params): Looked<Params> {
  const left = new Set(Object.keys(params));
  const watched = new Proxy(params, {
    get: (target, key) => {
      left.delete(String(key));
      return Reflect.get(target, key);
    },
  });
  return { params: watched, passedOver: () => [...left] };
}
