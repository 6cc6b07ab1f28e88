/** Goal: a gateway that closes answers what it has begun, sends its clients elsewhere, and is gone within 10 s. */
import { connect, type Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { openEmbedded } from '../support/engines.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { CONSUME, openRig, type Rig, use, WATCH } from './rig.ts';

/** As the gateway has it by default: others of the tests close at once. */
const NOTICE_MS = 300;

/** A rig whose batches wait until they are let go. */
async function openHeld() {
  const database = await openEmbedded();
  let release = () => {};
  let held: Promise<void> | null = null;
  let batches = 0;
  const lane: typeof database.lane = {
    ...database.lane,
    transact: async (first, second) => {
      batches += 1;
      await held;
      return database.lane.transact(first, second);
    },
  };
  const rig = await openRig({ database: { ...database, lane }, closeNoticeMs: NOTICE_MS });
  held = new Promise((resolve) => {
    release = resolve;
  });
  const before = batches;
  return { rig, release: () => release(), batches: () => batches - before };
}

const asStream = (rig: Rig) =>
  fetch(rig.graphqlUrl, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ query: WATCH, variables: { referenceId: 'acme' } }),
  });

/** An event stream whose reader opens it and then reads no more. */
async function stalledStream(rig: Rig): Promise<Socket> {
  const body = JSON.stringify({ query: WATCH, variables: { referenceId: 'acme' } });
  const socket = connect(Number(new URL(rig.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  await vi.waitUntil(() => rig.gateway.services.streams.openStreams > 0);
  socket.pause();
  return socket;
}

describe('a gateway that closes', () => {
  it('answers what it has begun, over both doors, and begins nothing new', async () => {
    const { rig, release, batches } = await openHeld();
    const socket = await rig.openWs(ADMIN_KEY);
    const overHttp = rig.post(CONSUME, use());
    await vi.waitUntil(() => batches() === 1);
    socket.subscribe('begun', CONSUME, use());
    await vi.waitUntil(() => rig.gateway.services.engine.queueLength === 1);
    const closed = rig.close();
    socket.subscribe('late', CONSUME, use());
    expect(JSON.stringify(await socket.waitForNext('late'))).toContain('"code":"SHUTTING_DOWN"');
    release();
    expect((await overHttp).data).toMatchObject({ consume: { allowed: true } });
    expect(await socket.waitForNext('begun')).toMatchObject({ data: { consume: { allowed: true } } });
    expect(await socket.waitForClose()).toEqual({ code: 1001, reason: 'Going away' });
    await closed;
    await expect(fetch(`${rig.url}/healthz`)).rejects.toThrow();
    const [row] = await rig.database.query<{ count: string }>({ text: 'SELECT count(*) FROM events', params: [] });
    expect(row?.count).toBe('2');
  });

  it('cuts its streams, so that clients come back: an end would be taken for one', async () => {
    const rig = await openRig({ closeNoticeMs: NOTICE_MS });
    const socket = await rig.openWs(ADMIN_KEY);
    socket.subscribe('1', WATCH, { referenceId: 'acme' });
    await socket.waitForNext('1');
    const reader = (await asStream(rig)).body?.getReader();
    const heard: string[] = [];
    const read = async () => {
      for (;;) {
        const chunk = await reader?.read();
        if (!chunk || chunk.done) return 'ended';
        heard.push(Buffer.from(chunk.value).toString());
      }
    };
    const over = read().catch(() => 'cut');
    await vi.waitUntil(() => heard.join('').includes('UsageSnapshot'));
    await rig.close();
    expect(await over).toBe('cut');
    expect(heard.join('')).not.toContain('event: complete');
    expect(await socket.waitForClose()).toMatchObject({ code: 1001 });
    expect(socket.pending()).toEqual([]);
    expect(rig.gateway.services.streams.openStreams).toBe(0);
  });

  it('waits for nobody who stalls', async () => {
    const rig = await openRig({ closeNoticeMs: NOTICE_MS });
    const stalled = await stalledStream(rig);
    const socket = await rig.openWs(ADMIN_KEY);
    socket.subscribe('1', WATCH, { referenceId: 'acme' });
    await socket.waitForNext('1');
    socket.pause();
    const half = connect(Number(new URL(rig.url).port), '127.0.0.1');
    half.on('error', () => {});
    half.write('POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{'); // and never the rest
    await vi.waitUntil(() => half.bytesWritten > 0);
    const startedAtMs = performance.now();
    await rig.close();
    expect(performance.now() - startedAtMs).toBeLessThan(9_500);
    for (const peer of [stalled, half]) peer.destroy();
    socket.terminate();
  });
});
