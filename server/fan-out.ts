/**
 * fan-out — subscriptions as both doors execute them: each follows its own source, and what an item says is worked out
 * once for everybody who hears it alike.
 */
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
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
    return this.#answers(source as AsyncGenerator<Told<unknown>>, args as SubscriptionArgs);
  }

  #answers(source: AsyncGenerator<Told<unknown>>, args: SubscriptionArgs): AsyncGenerator<Answer, undefined> {
    const { audience, leave } = this.#join(args);
    const done = { done: true, value: undefined } as const;
    const onPushed = this.#onPushed;
    let hasLeft = false;
    const left = () => {
      if (!hasLeft) leave();
      hasLeft = true;
      return done;
    };
    const answers: AsyncGenerator<Answer, undefined> = {
      async next() {
        const next = await source.next();
        if (next.done) return left();
        const value = await audience.answerTo(next.value);
        if (hasLeft) return done; // whoever has gone meanwhile is told nothing
        onPushed();
        return { done: false, value };
      },
      async return() {
        left();
        await source.return(undefined);
        return done;
      },
      async throw(error: unknown) {
        left();
        await source.return(undefined);
        throw error;
      },
      [Symbol.asyncIterator]: () => answers,
      [Symbol.asyncDispose]: async () => void (await answers.return(undefined)),
    };
    return answers;
  }

  #join(args: SubscriptionArgs): { readonly audience: Audience; readonly leave: () => void } {
    const key = this.#isShared ? audienceKey(args) : Symbol('alone');
    const audience = this.#audiences.get(key) ?? new Audience(args, this.#onExecuted);
    this.#audiences.set(key, audience);
    audience.members += 1;
    const leave = () => {
      audience.members -= 1;
      if (audience.members === 0) this.#audiences.delete(key);
    };
    return { audience, leave };
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
