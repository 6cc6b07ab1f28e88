/** use-session — a client of the gateway with one key, and what it reads before anything moves. */
import { createMetergraphClient, type MetergraphClient, MetergraphError } from '@metergraph/client-sdk';
import { useEffect, useState } from 'react';
import { type Overview, readOverview } from './overview.ts';

export type OpenSession = { readonly phase: 'open'; readonly client: MetergraphClient; readonly overview: Overview };

export type Session =
  | { readonly phase: 'without key' }
  | { readonly phase: 'opening' }
  /** The key is unknown, revoked, or may do too little. */
  | { readonly phase: 'refused'; readonly message: string }
  | { readonly phase: 'failed'; readonly message: string }
  | OpenSession;

/** The client lives as long as the key is in use; another key is another session from the start. */
export function useSession(apiKey: string | null): Session {
  const [session, setSession] = useState<Session>(initial(apiKey));
  const [openedWith, setOpenedWith] = useState(apiKey);
  if (openedWith !== apiKey) {
    setOpenedWith(apiKey);
    setSession(initial(apiKey));
  }

  useEffect(() => {
    if (apiKey === null) return;
    const client = createMetergraphClient({ url: '/graphql', apiKey });
    const leaving = new AbortController();
    readOverview(client, leaving.signal).then(
      (overview) => !leaving.signal.aborted && setSession({ phase: 'open', client, overview }),
      (error: unknown) => !leaving.signal.aborted && setSession(unopened(error)),
    );
    return () => {
      leaving.abort();
      client.close();
    };
  }, [apiKey]);

  return session;
}

const initial = (apiKey: string | null): Session => ({ phase: apiKey === null ? 'without key' : 'opening' });

function unopened(error: unknown): Session {
  const message = error instanceof Error ? error.message : String(error);
  return { phase: isRefusal(error) ? 'refused' : 'failed', message };
}

export const isRefusal = (error: unknown): boolean =>
  error instanceof MetergraphError && (error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN');
