/** ws-sending — a stream whose items are sent by itself: to the protocol it looks like one that only ends. */
import { AnswerStream, DONE } from './answer-stream.ts';

/** Nothing is sent from the moment on that it is ended itself. */
export class Sending<T> extends AnswerStream<never> {
  readonly #source: AsyncGenerator<T, undefined>;
  readonly #send: (item: T) => Promise<void>;
  #hasLeft = false;

  /** @param send The next item is asked for when this one is on its way: a slow reader sees fewer, newer ones. */
  constructor(source: AsyncGenerator<T, undefined>, send: (item: T) => Promise<void>) {
    super();
    this.#source = source;
    this.#send = send;
  }

  /** Settles when the source has ended. */
  async next(): Promise<IteratorResult<never, undefined>> {
    for (let item = await this.#source.next(); !item.done; item = await this.#source.next()) {
      if (this.#hasLeft) break;
      await this.#send(item.value);
    }
    return DONE;
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.#hasLeft = true;
    await this.#source.return(undefined);
    return DONE;
  }
}
