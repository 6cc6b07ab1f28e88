/** use-stream — the rows of the stream, kept up by the tenant-wide feed and by every alert. */
import type { LiveStatus, MetergraphClient, MetergraphError } from '@metergraph/client-sdk';
import { useCallback, useEffect, useReducer, useState } from 'react';
import type { Overview } from './overview.ts';
import { reduceStream, type Stream, startStream } from './stream.ts';

export type FollowedStream = {
  readonly stream: Stream;
  readonly status: LiveStatus;
  /** What was last said to be wrong; past, once the status is `live` again. */
  readonly problem: MetergraphError | null;
  /** Keeps the rows still for a reader, or lets them go on. */
  readonly hold: (isHeld: boolean) => void;
};

export function useStream(client: MetergraphClient, overview: Overview): FollowedStream {
  const [stream, tell] = useReducer(reduceStream, overview, startStream);
  const [status, setStatus] = useState<LiveStatus>('connecting');
  const [problem, setProblem] = useState<MetergraphError | null>(null);

  useEffect(() => {
    const ends = [
      client.onLiveUsage({
        onUsage: (live) => tell({ type: 'usage', live }),
        onStatus: setStatus,
        onError: setProblem,
      }),
      client.onAlert({}, { onAlert: (alert) => tell({ type: 'alert', alert }) }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [client]);

  const hold = useCallback((isHeld: boolean) => tell({ type: 'hold', isHeld }), []);
  return { stream, status, problem, hold };
}
