/**
 * fan-out — subscriptions as both doors execute them: each follows its own source, and what an item says is worked out
 * once for everybody who hears it alike.
 */
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { AnswerStream, DONE } from './answer-stream.ts';
import { type Answer, Audience, audienceKey, type SubscriptionArgs } from './audience.ts';
import type { Told } from './schema/told.ts';

export type FanOutOptions = {
  /** False: every subscriber's document is executed for itself, to compare with. */
  readonly isShared: boolean;
  readonly onExecuted?: () => void;
  readonly onPushed?: () => void;
};

export class FanOut {
  readonly #isShared: boolean;
  readonly #onExecuted: () => void;
  readonly #onPushed: () => void;
  readonly #audiences = new Map<string | symbol, Audience>();

  constructor({ isShared, onExecuted = () => {}, onPushed = () => {} }: FanOutOptions) {
    this.#isShared = isShared;
    this.#onExecuted = onExecuted;
    this.#onPushed = onPushed;
  }

  /** Audiences that somebody is in. */
  get audiences(): number {
    return this.#audiences.size;
  }

  /** For the HTTP door; what is subscribed there is subscribed here. */
  plugin(): Plugin {
    return {
      onSubscribe: ({ setSubscribeFn }) => setSubscribeFn((args: ExecutionArgs) => this.subscribe(args)),
    };
  }

  /**
   * @param args Their context is ours: who builds them, the doors, builds it.
   * @returns answers, as they come; or, where the subscription is refused, why.
   */
  async subscribe(args: ExecutionArgs): Promise<AsyncGenerator<Answer, undefined> | ExecutionResult> {
    const source = await sourceOf(args);
    if (!(Symbol.asyncIterator in source)) return source;
    // What the resolvers of subscriptions make, all of them by `told`.
    const audience = this.#join(args as SubscriptionArgs);
    return new Answers(source as AsyncGenerator<Told<unknown>>, audience, this.#onPushed);
  }

  #join(args: SubscriptionArgs): Audience {
    const key = this.#isShared ? audienceKey(args) : Symbol('alone');
    const audience =
      this.#audiences.get(key) ?? new Audience(args, this.#onExecuted, () => this.#audiences.delete(key));
    this.#audiences.set(key, audience);
    audience.join();
    return audience;
  }
}

/** What one subscriber is told. */
class Answers extends AnswerStream<Answer> {
  readonly #source: AsyncGenerator<Told<unknown>>;
  readonly #audience: Audience;
  readonly #onPushed: () => void;
  #hasLeft = false;

  constructor(source: AsyncGenerator<Told<unknown>>, audience: Audience, onPushed: () => void) {
    super();
    this.#source = source;
    this.#audience = audience;
    this.#onPushed = onPushed;
  }

  async next(): Promise<IteratorResult<Answer, undefined>> {
    const next = await this.#source.next();
    if (next.done) return this.#leave();
    const value = await this.#audience.answerTo(next.value);
    if (this.#hasLeft) return DONE; // whoever has gone meanwhile is told nothing
    this.#onPushed();
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<Answer, undefined>> {
    this.#leave();
    await this.#source.return(undefined);
    return DONE;
  }

  #leave(): typeof DONE {
    if (!this.#hasLeft) this.#audience.leave();
    this.#hasLeft = true;
    return DONE;
  }
}

/** A refusal is an answer; what has a `path` of its own, as our errors have, GraphQL.js throws as it is. */
async function sourceOf(args: ExecutionArgs): Promise<AsyncIterable<unknown> | ExecutionResult> {
  try {
    return await createSourceEventStream(args);
  } catch (error) {
    const originalError = error instanceof Error ? error : new Error(String(error));
    return { errors: [new GraphQLError(originalError.message, { originalError })] };
  }
}
