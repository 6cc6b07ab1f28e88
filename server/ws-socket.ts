/** ws-socket — one open WebSocket and what is known of it. */
import { WebSocket } from 'ws';
import type { Viewer } from './domain/viewer.ts';

export class OpenSocket {
  viewer: Viewer | null = null;
  authorization: string | null = null;
  /** Operations that are being answered, subscriptions among them. */
  operations = 0;
  quietSinceMs: number;
  readonly #socket: WebSocket;
  readonly #closeMsMax: number;
  readonly #whenGone: (() => void)[] = [];
  #cutOff: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, openedAtMs: number, closeMsMax: number) {
    this.#socket = socket;
    this.quietSinceMs = openedAtMs;
    this.#closeMsMax = closeMsMax;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Settles when the message is on its way, or the connection is gone: whoever waits for it is no faster than its reader. */
  send(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.isOpen) this.#socket.send(text, () => resolve());
      else resolve(); // a connection that breaks is told by its `close`
    });
  }

  /** Says goodbye; whoever does not answer is cut off. */
  end(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.#cutOff ??= setTimeout(() => this.#socket.terminate(), this.#closeMsMax).unref();
  }

  /** @param then Called when the socket has closed; at once when it has already. */
  onGone(then: () => void): void {
    if (this.#socket.readyState === WebSocket.CLOSED) then();
    else this.#whenGone.push(then);
  }

  gone(): void {
    clearTimeout(this.#cutOff);
    for (const then of this.#whenGone.splice(0)) then();
  }
}
