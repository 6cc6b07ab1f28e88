/**
 * connection — one request at a time on a plain socket: it costs a third of the processor time of the usual HTTP clients,
 * time that is taken from the server when both share a machine.
 */
import { connect, type Socket } from 'node:net';
import { API_KEY } from '../catalog.ts';
import { readReply } from './http-reply.ts';

const REPLY_WITHIN_MS = 15_000;

export class Connection {
  /** Rejects when the connection fails, or a reply is overdue; settles in no other way. */
  readonly failed: Promise<never>;
  readonly #socket: Socket;
  readonly #head: string;
  #received = '';
  #isWaiting = false;
  #onReply: (body: string) => void = () => {};

  static open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket, host));
      });
    });
  }

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#head = `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${API_KEY}\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: `;
    this.failed = new Promise((_, reject) => {
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the server closed a connection')));
      socket.setTimeout(REPLY_WITHIN_MS, () => {
        if (this.#isWaiting) reject(new Error(`no reply within ${REPLY_WITHIN_MS / 1_000} s`));
      });
    });
    socket.on('data', (data) => this.#receive(data));
  }

  /** Sends head and body in one packet. @param onReply Hears the body of the reply, and may send the next request. */
  send(body: string, onReply: (body: string) => void): void {
    this.#isWaiting = true;
    this.#onReply = onReply;
    this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, 'latin1');
  }

  close(): void {
    this.failed.catch(() => {}); // nobody waits for it any longer
    this.#socket.destroy();
  }

  #receive(data: Buffer): void {
    this.#received += data.toString('latin1');
    const reply = readReply(this.#received);
    if (reply === null) return;
    this.#received = '';
    this.#isWaiting = false;
    this.#onReply(reply.body);
  }
}
