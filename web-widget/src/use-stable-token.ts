/** use-stable-token — an inline `getToken` is another function each render; a connection knows it as one. */
import { useEffect, useState } from 'react';
import { type Source, succeed } from './registry.ts';

/** The same source with the first `getToken` it ever had: that one stays the identity, and the latest one is called. */
export function useStableToken<S extends Source>(source: S): S {
  const { getToken } = source;
  const [first, pin] = useState(() => getToken);
  useEffect(() => {
    if (first && getToken) succeed(first, getToken);
    else if (first !== getToken) pin(() => getToken);
  }, [first, getToken]);
  return getToken && first ? { ...source, getToken: first } : source;
}
