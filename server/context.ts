/** context — what a GraphQL operation is handed: who asks, and the gateway's parts. */
import type { Deps } from './actions/deps.ts';
import type { Viewer } from './domain/viewer.ts';
import type { Streams } from './events/streams.ts';
import type { Engine } from './metering/engine.ts';
import type { UsageReader } from './metering/usage-reader.ts';

export type Services = Deps & {
  readonly engine: Engine;
  readonly usageReader: UsageReader;
  readonly streams: Streams;
};

export type Context = {
  /** Null without a credential; a bad one never gets this far. */
  readonly viewer: Viewer | null;
  readonly services: Services;
  /** Things fetched once per operation, by key; see `oncePerOperation` in schema/. */
  readonly memo: Map<unknown, unknown>;
};
