/** live — what all subscriptions have in common: status, errors, and silence after the end. */
import type { Connection, Stream } from './connection.ts';
import type { MetergraphError } from './errors.ts';
import type { Link, Sink } from './link.ts';
import type { LiveHandlers, LiveStatus, Unsubscribe } from './live-types.ts';

/** What makes one subscription different from another. */
export interface LiveSource<Data> {
  open(link: Link, sink: Sink): () => void;
  next(data: Data): void;
}

/** Follows a source until it is unsubscribed or ends. */
export function follow<Data>(connection: Connection, source: LiveSource<Data>, handlers: LiveHandlers): Unsubscribe {
  let status: LiveStatus | undefined;
  let silent = false;

  const become = (next: LiveStatus) => {
    if (silent || next === status) return;
    status = next;
    calling(() => handlers.onStatus?.(next));
  };
  const tell = (error: MetergraphError) => {
    if (!silent) calling(() => handlers.onError?.(error));
  };
  const stream: Stream = {
    open: (link, sink) => source.open(link, sink),
    live: () => become('live'),
    // The gateway speaks the schema the operation was checked against.
    next: (data) => source.next(data as Data),
    lost: (why) => {
      become(status === 'connecting' ? 'connecting' : 'reconnecting');
      if (why) tell(why);
    },
    ended: (why) => {
      if (why.code !== 'CLOSED') tell(why);
      become('closed');
      silent = true;
    },
  };

  become('connecting');
  const remove = connection.add(stream);
  return () => {
    silent = true;
    remove();
  };
}

/** Runs a handler of the app's. What it throws is the app's: it reaches the platform, and no stream stops for it. */
export function calling(handler: () => void): void {
  try {
    handler();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
