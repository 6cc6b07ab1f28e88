/** use-meter — follows one meter from a component; the only place where state, feed and component lifetimes meet. */
import { useCallback, useEffect, useReducer, useRef } from 'react';
import type { Feed } from './feed.ts';
import { lease, type Source, sourceKey } from './registry.ts';
import { initialState, type MeterState, reduce } from './state.ts';
import { useStableToken } from './use-stable-token.ts';

export type MeterSource = Source & {
  /** Key of the feature. */
  readonly feature: string;
  /** Whose usage. A customer token names its customer: leave it out. */
  readonly referenceId?: string | undefined;
};

export type Meter = {
  readonly state: MeterState;
  /** Closes an alert for this reader; the stored fact stays. */
  readonly dismiss: (alertId: string) => void;
  /** Starts over after the end: `problem` says why it ended. */
  readonly retry: () => void;
};

export function useMeter({ feature, referenceId, ...source }: MeterSource): Meter {
  const [state, dispatch] = useReducer(reduce, initialState);
  const feed = useRef<Feed | null>(null);
  const stable = useStableToken(source);
  const key = sourceKey(stable);
  const { client } = source;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the parts of `stable`, whose object is new each time.
  useEffect(() => {
    dispatch({ type: 'restart' });
    const held = lease(stable, referenceId);
    feed.current = held.feed;
    const stop = held.feed.listen(feature, dispatch);
    return () => {
      feed.current = null;
      stop();
      held.release();
    };
  }, [key, client, feature, referenceId]);

  return {
    state,
    dismiss: useCallback((alertId) => dispatch({ type: 'dismiss', alertId }), []),
    retry: useCallback(() => feed.current?.retry(), []),
  };
}
