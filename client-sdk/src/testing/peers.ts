/** peers — for tests: a gateway and a live client of it, gone when the test has ended. */
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { RealtimeOptions } from '../option-types.ts';
import { createMetergraphRealtime, type MetergraphRealtime } from '../realtime.ts';
import { type GatewayOptions, startGateway, type TestGateway } from './gateway.ts';

/** The last to be told is done first, when the test has ended. */
export const afterTest = (cleanUp: () => unknown): void => onTestFinished(async () => void (await cleanUp()));

export async function gatewayOf(options?: GatewayOptions): Promise<TestGateway> {
  const gateway = await startGateway(options);
  afterTest(() => gateway.stop());
  return gateway;
}

/** Waits between tries are none: `random` is 0. */
export function listenTo({ url }: TestGateway, options: Partial<RealtimeOptions> = {}): MetergraphRealtime {
  const credentials = options.getToken ? { getToken: options.getToken } : { apiKey: 'mg_test' };
  const { apiKey: _, getToken: __, ...rest } = options;
  const realtime = createMetergraphRealtime({
    url,
    random: () => 0,
    webSocketImpl: WebSocket,
    ...rest,
    ...credentials,
  });
  afterTest(() => realtime.close());
  return realtime;
}

/** Both ways to the gateway: what holds for one holds for the other. */
export const ways = [
  ['WebSocket', {}],
  ['server-sent events', { webSocketImpl: null }],
] as const;
