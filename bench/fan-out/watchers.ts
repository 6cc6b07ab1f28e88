/** watchers — many clients of `graphql-transport-ws`, a socket each, that note when an update comes. */
import { randomUUID } from 'node:crypto';
import { createHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import '../programs/leash.ts';
import { type Commit, type Latencies, nowNs, updateOf, type Watcher, type WatchersQuestion } from './said.ts';

/** Sockets that say hello at the same time. */
const OPENING_AT_ONCE = 64;
const MICROSECOND = 1_000;

type Shown = { readonly referenceId: string; readonly used: string };
type Item = { readonly usage?: Shown; readonly usages?: readonly Shown[] };
type Message = {
  readonly type: string;
  readonly id?: string;
  readonly payload?: { readonly data?: Record<string, Item> };
};

const sockets: WebSocket[] = [];
/** Which update, and when it came: two entries each. */
let seen: { updates: string[]; atNs: number[] } = { updates: [], atNs: [] };
let received = 0;

/** Settles when the watcher is subscribed and, where there is one, its snapshot has come. */
function open(url: string, { bearer, query, hasSnapshot }: Watcher): Promise<void> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  sockets.push(socket);
  return new Promise((resolve, reject) => {
    let isOpen = false;
    const opened = () => {
      isOpen = true;
      resolve();
    };
    socket.once('error', reject);
    socket.once('close', (code, reason) => reject(new Error(`closed with ${code} ${reason}`)));
    socket.once('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${bearer}` } })),
    );
    socket.on('message', (data) => {
      const atNs = nowNs();
      const { type, payload, ...rest }: Message = JSON.parse(String(data));
      if (type === 'connection_ack') {
        socket.send(JSON.stringify({ type: 'subscribe', id: randomUUID(), payload: { query } }));
        if (!hasSnapshot) opened();
      } else if (type !== 'next') {
        reject(new Error(`told: ${JSON.stringify({ type, payload, ...rest })}`));
      } else if (isOpen) note(payload?.data ?? {}, atNs);
      else opened();
    });
  });
}

function note(data: Readonly<Record<string, Item>>, atNs: number): void {
  received += 1;
  for (const { usage, usages } of Object.values(data)) {
    for (const { referenceId, used } of usages ?? (usage ? [usage] : [])) {
      seen.updates.push(updateOf(referenceId, used));
      seen.atNs.push(atNs);
    }
  }
}

async function openAll(url: string, watchers: readonly Watcher[]): Promise<void> {
  const waiting = [...watchers];
  const worker = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await open(url, next);
  };
  await Promise.all(Array.from({ length: OPENING_AT_ONCE }, worker));
}

function latencies(commits: readonly Commit[]): Latencies {
  const committedAtNs = new Map(commits);
  const histogram = createHistogram({ figures: 3 });
  for (const [i, update] of seen.updates.entries()) {
    const fromNs = committedAtNs.get(update);
    const tookNs = (seen.atNs[i] ?? 0) - (fromNs ?? 0);
    if (fromNs !== undefined) histogram.record(Math.max(1, Math.round(tookNs / MICROSECOND)));
  }
  seen = { updates: [], atNs: [] };
  const ms = (us: number) => us / MICROSECOND;
  const { count } = histogram;
  return {
    count,
    p50Ms: ms(histogram.percentile(50)),
    p99Ms: ms(histogram.percentile(99)),
    maxMs: count ? ms(histogram.max) : 0,
  };
}

async function closeAll(): Promise<void> {
  const closing = sockets.splice(0);
  const closed = closing.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of closing) socket.close();
  await Promise.all(closed);
}

async function answer(question: WatchersQuestion): Promise<unknown> {
  switch (question.ask) {
    case 'open':
      return openAll(question.url, question.watchers);
    case 'received': {
      const count = received;
      received = 0;
      return count;
    }
    case 'latencies':
      return latencies(question.commits);
    case 'close':
      return closeAll();
  }
}

process.channel?.ref(); // there is nothing else yet to stay for
// Only the bench speaks over this channel.
process.on('message', async (question: WatchersQuestion) => {
  try {
    process.send?.({ answer: await answer(question) });
  } catch (error) {
    process.send?.({ failure: String(error) });
  }
});
