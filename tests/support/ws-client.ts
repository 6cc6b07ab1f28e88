/**
 * ws-client — `graphql-transport-ws`, one frame at a time, for tests of the protocol itself: what exactly is said,
 * in which order, and with which code the door is closed. Tests that only want results use the client SDK.
 */
import { WebSocket } from 'ws';

export type WsMessage = {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
};

export type WsClose = { readonly code: number; readonly reason: string };

export type WsClient = {
  readonly socket: WebSocket;
  /** Sends a message as JSON, or a string or bytes exactly as they are. */
  send(message: WsMessage | string | Buffer): void;
  /** `connection_init` with this key or token (left out, without any); settles with the server's acknowledgement. */
  init(key?: string): Promise<WsMessage>;
  /** Starts an operation; its items arrive as `next` messages with this id. */
  subscribe(id: string, query: string, variables?: Record<string, unknown>): void;
  /**
   * The next message that fits, in order of arrival; those before it that do not fit stay for others.
   *
   * @throws where none fits within `withinMs` (default 10 s), or the connection closes first; the message tells what did come.
   */
  waitForMessage(fits?: MessageTest, withinMs?: number): Promise<WsMessage>;
  /** The payload of the next `next` message of this operation. */
  waitForNext(id: string, withinMs?: number): Promise<{ data?: Record<string, unknown>; errors?: unknown[] }>;
  /** The code and reason the connection closed with, also when that was earlier. */
  waitForClose(withinMs?: number): Promise<WsClose>;
  /** Messages that arrived and nobody has waited for. */
  pending(): readonly WsMessage[];
  /** Stops reading from the socket, as a stalled client would; `resume` goes on. */
  pause(): void;
  resume(): void;
  /** Closes as a well-behaved client does and waits for it. */
  close(code?: number): Promise<WsClose>;
  /** Drops the connection without a word, as a lost network would. */
  terminate(): void;
};

export type MessageTest = string | ((message: WsMessage) => boolean);

export type WsOptions = {
  /** Default `graphql-transport-ws`. */
  readonly protocol?: string;
  readonly headers?: Record<string, string>;
  /** Answer `ping` messages by `pong` by itself, as clients do. Default true. */
  readonly answerPings?: boolean;
};

const DEFAULT_WAIT_MS = 10_000;

/** Opens a socket to the endpoint (`http://` or `ws://`). @throws where the handshake is refused, with the status. */
export function openWs(
  url: string,
  { protocol = 'graphql-transport-ws', headers = {}, answerPings = true }: WsOptions = {},
): Promise<WsClient> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), protocol, { headers });
  const client = clientOf(socket, answerPings);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => {
      socket.off('error', reject);
      socket.on('error', () => {}); // a broken connection is told by its close
      resolve(client);
    });
  });
}

function clientOf(socket: WebSocket, answerPings: boolean): WsClient {
  const inbox = new Inbox(socket, answerPings);
  const send: WsClient['send'] = (message) => {
    socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  };
  return {
    socket,
    send,
    init: (key) => {
      send({ type: 'connection_init', ...(key === undefined ? {} : { payload: { authorization: `Bearer ${key}` } }) });
      return inbox.message('connection_ack');
    },
    subscribe: (id, query, variables) => send({ type: 'subscribe', id, payload: { query, variables } }),
    waitForMessage: (fits, withinMs) => inbox.message(fits, withinMs),
    waitForNext: async (id, withinMs) => {
      const { payload } = await inbox.message((message) => message.type === 'next' && message.id === id, withinMs);
      return payload as { data?: Record<string, unknown>; errors?: unknown[] }; // the protocol says so
    },
    waitForClose: (withinMs) => inbox.close(withinMs),
    pending: () => [...inbox.unread],
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: (code = 1000) => {
      socket.close(code);
      return inbox.close();
    },
    terminate: () => socket.terminate(),
  };
}

/** What has arrived and who waits for what. */
class Inbox {
  readonly unread: WsMessage[] = [];
  #closed: WsClose | undefined;
  readonly #looks = new Set<() => void>();

  constructor(socket: WebSocket, answerPings: boolean) {
    socket.on('message', (data) => {
      const message: WsMessage = JSON.parse(data.toString());
      if (answerPings && message.type === 'ping') return socket.send('{"type":"pong"}');
      this.unread.push(message);
      this.#lookAgain();
    });
    socket.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      this.#lookAgain();
    });
  }

  message(fits: MessageTest = () => true, withinMs = DEFAULT_WAIT_MS): Promise<WsMessage> {
    const test = typeof fits === 'string' ? (message: WsMessage) => message.type === fits : fits;
    const wanted = typeof fits === 'string' ? `a "${fits}"` : 'a fitting message';
    return this.#until(wanted, withinMs, () => {
      const index = this.unread.findIndex(test);
      if (index >= 0) return this.unread.splice(index, 1)[0];
      if (this.#closed)
        throw new Error(`closed with ${this.#closed.code} "${this.#closed.reason}" before ${wanted} came`);
      return undefined;
    });
  }

  close(withinMs = DEFAULT_WAIT_MS): Promise<WsClose> {
    return this.#until('the connection to close', withinMs, () => this.#closed);
  }

  #lookAgain(): void {
    for (const look of [...this.#looks]) look();
  }

  #until<T>(wanted: string, withinMs: number, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        then();
      };
      const look = () => {
        try {
          const found = find();
          if (found !== undefined) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const giveUp = () => {
        const came = this.unread.map((message) => JSON.stringify(message)).join('\n') || 'nothing';
        settle(() => reject(new Error(`waited ${withinMs} ms for ${wanted}; unread: ${came}`)));
      };
      const timer = setTimeout(giveUp, withinMs);
      this.#looks.add(look);
      look();
    });
  }
}
