/** two-doors — two gateways on one database, one of them with yoga alone, and requests that go to both. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { openEmbedded } from '../support/engines.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { openRig, type Rig } from './rig.ts';

type Headers = Readonly<Record<string, string>>;
type Body = string | readonly Buffer[];

/** What both have answered, and whether the fast door has, where it could. */
export type SameReply = { readonly status: number | undefined; readonly text: string; readonly isFast: boolean };

export type TwoDoors = {
  readonly fast: Rig;
  /** Has a document known, without executing it where it changes anything: a GET parses whatever it refuses. */
  introduce(query: string): Promise<void>;
  /** Sends the same to both. @returns the reply, which was the same. Fails the test where it was not. */
  send(body: Body, headers?: Headers, method?: string, path?: string): Promise<SameReply>;
  /** Sends a document that is known by then. */
  ask(query: string, more?: Record<string, unknown>, headers?: Headers): Promise<SameReply>;
  /** Does something while no statement reaches the database. */
  broken<T>(work: () => Promise<T>): Promise<T>;
};

export async function openTwoDoors(options: { readonly corsOrigins: readonly string[] }): Promise<TwoDoors> {
  let isBroken = false;
  const database = failing(await openEmbedded(), () => isBroken);
  const fast = await openRig({ ...options, database });
  const slow = await startGateway({ ...options, database, clock: fast.clock, config: null, fastDoor: false });
  const fastAnswers = () => fast.gateway.metrics.counts.fastAnswers;

  const introduce = async (query: string) => {
    const response = await fetch(`${fast.graphqlUrl}?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    await response.text();
  };
  const send: TwoDoors['send'] = async (body, headers = {}, method = 'POST', path = '/graphql') => {
    const before = fastAnswers();
    const reply = await sendTo(fast, body, headers, method, path);
    const isFast = fastAnswers() > before;
    expect(reply).toEqual(await sendTo(slow, body, headers, method, path));
    return { status: reply.status, text: reply.text, isFast };
  };
  return {
    fast,
    introduce,
    send,
    ask: async (query, more = {}, headers = {}) => {
      await introduce(query);
      return send(JSON.stringify({ query, ...more }), headers);
    },
    broken: async (work) => {
      isBroken = true;
      try {
        return await work();
      } finally {
        isBroken = false;
      }
    },
  };
}

function failing(sound: Database, isBroken: () => boolean): Database {
  const unlessBroken = <T>(work: () => Promise<T>): Promise<T> =>
    isBroken() ? Promise.reject(new Error('relation "hidden_table" does not exist')) : work();
  return {
    ...sound,
    query: (statement) => unlessBroken(() => sound.query(statement)),
    readAs: (tenantId, work) => unlessBroken(() => sound.readAs(tenantId, work)),
    lane: { transact: (first, second) => unlessBroken(() => sound.lane.transact(first, second)), reset: () => {} },
  };
}

const agent = new Agent({ keepAlive: true });

/** A reply as it came over the wire, but for its date. */
async function sendTo({ url }: TestGateway, body: Body, headers: Headers, method: string, path: string) {
  const all = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}`, ...headers };
  const sent = request(new URL(path, url), { method, agent, headers: all });
  if (typeof body === 'string') sent.end(body);
  else await writeInPieces(sent, body);
  const [response] = await once(sent, 'response');
  const { date: _, ...rest } = response.headers;
  return { status: response.statusCode, message: response.statusMessage, headers: rest, text: await text(response) };
}

async function writeInPieces(sent: ReturnType<typeof request>, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    await new Promise((resolve) => sent.write(piece, resolve));
    await new Promise(setImmediate); // so that the next one is another packet
  }
  sent.end();
}
