/** alert-stream — every alert exactly once. */

import { type Link, type Sink, wireRequest } from './link.ts';
import { calling, type LiveSource } from './live.ts';
import { AlertRaised, AlertStart } from './live-documents.ts';
import type { AlertFilter, AlertHandlers } from './live-types.ts';
import type { DataOf } from './operation.ts';

/** Failing is harmless: the stream goes on, and its next alert brings a cursor just as well. */
const QUIETLY: Sink = { started: () => {}, next: () => {}, failed: () => {}, completed: () => {} };

/** Asks for the resume point "now". Unless it is answered, `sink` is told what went wrong. */
function askStart(link: Link, sink: Sink, answered: (cursor: string) => void): () => void {
  let isAnswered = false;
  return link.start(wireRequest(AlertStart, {}), {
    started: () => {},
    next: (result) => {
      if (result.errors && result.errors.length > 0) return sink.next(result);
      isAnswered = true;
      // The gateway speaks the schema the operation was checked against.
      answered((result.data as DataOf<typeof AlertStart>).viewer.alertCursor);
    },
    failed: sink.failed,
    completed: () => {
      if (!isAnswered) sink.completed();
    },
  });
}

/**
 * A stream tells its cursor with each alert. Before the first one there is none to resume with, and what was raised
 * while the link was down would be missed. So a stream that has no cursor asks for the one of "now", and begins there.
 */
export function alertSource({ referenceId, after }: AlertFilter, handlers: AlertHandlers) {
  let cursor = after;
  /** For the opening that is heard. */
  let askAgain = () => {};

  const source: LiveSource<DataOf<typeof AlertRaised>> = {
    open: (link, sink) => {
      let stop = () => {};
      let stopAsking = () => {};
      const listen = () => {
        stop = link.start(wireRequest(AlertRaised, { referenceId, after: cursor }), sink);
      };
      askAgain = () => {
        stopAsking = askStart(link, QUIETLY, (now) => {
          cursor ??= now; // that of an alert told meanwhile is exact
        });
      };
      if (cursor !== undefined) listen();
      else {
        stopAsking = askStart(link, sink, (now) => {
          cursor = now;
          listen();
        });
      }
      return () => {
        stopAsking();
        stop();
      };
    },
    next: ({ alertRaised }) => {
      if (alertRaised.__typename === 'AlertRaised') {
        cursor = alertRaised.cursor;
        calling(() => handlers.onAlert(alertRaised.alert));
        return;
      }
      // The gateway goes on from now, in the same stream.
      cursor = undefined;
      askAgain();
      calling(() => handlers.onGap?.(alertRaised.message));
    },
  };
  return source;
}
