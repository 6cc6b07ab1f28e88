/** Goal: a stream that is refused is let go of, and nothing that goes wrong with that ends the process. */
import { type ExecutionResult, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { afterEach, expect, it } from 'vitest';
import { CredentialWatch } from './auth/credential-watch.ts';
import { EventStreams } from './event-streams.ts';
import { FanOut } from './fan-out.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A door that lets no stream in, before a stream that does not let go. */
function openDoor() {
  let letGo = 0;
  const stream: AsyncIterableIterator<ExecutionResult> = {
    next: () => new Promise(() => {}),
    return: () => {
      letGo += 1;
      return Promise.reject(new Error('the stream does not let go'));
    },
    [Symbol.asyncIterator]: () => stream,
  };
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { hello: { type: GraphQLString } } }),
  });
  const watch = new CredentialWatch(() => Promise.reject(new Error('nobody asks')), { now: () => 0 });
  ends.push(() => watch.close());
  const bounded = new EventStreams({ streamsPerCredentialMax: 0 }, watch, new FanOut({ isShared: true })).plugin();
  const answerWithStream: Plugin = { onExecutionResult: ({ setResult }) => setResult(stream) };
  const yoga = createYoga({ schema, logging: false, plugins: [answerWithStream, bounded] });
  const subscribe = () =>
    yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ hello }' }),
    });
  return { subscribe, letGo: () => letGo };
}

it('refuses one stream too many, also where it fails to end', async () => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', hear);
  ends.push(() => process.off('unhandledRejection', hear));
  const { subscribe, letGo } = openDoor();
  const response = await subscribe();
  expect(await response.text()).toContain('TOO_MANY_SUBSCRIPTIONS');
  await new Promise(setImmediate); // Node tells of rejections once all microtasks have run
  expect(letGo()).toBe(1);
  expect(unhandled).toEqual([]);
});
