/**
 * Goal: one execution for all who are told the same, and nobody's failure, leaving or variables are another's. Method: a
 * schema of our own whose resolver the test holds and lets fail; a table of what two subscribers differ in.
 */
import {
  type DocumentNode,
  type GraphQLNamedType,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  getNamedType,
  isAbstractType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { audienceKey, type SubscriptionArgs } from './audience.ts';
import type { Context, Services } from './context.ts';
import type { Viewer } from './domain/viewer.ts';
import { FanOut } from './fan-out.ts';
import { schema as ourSchema } from './schema/index.ts';
import { told, toldOf } from './schema/told.ts';

const TOKEN: Viewer = {
  kind: 'customer',
  tenantId: 'tenant 1',
  customerId: 'customer 1',
  referenceId: 'acme',
  featureKeys: ['storage'],
  expiresAtMs: 1_000,
};
const KEY: Viewer = {
  kind: 'api-key',
  tenantId: 'tenant 1',
  keyId: 'key 1',
  name: null,
  scopes: new Set(['read', 'ingest']),
  expiresAtMs: null,
};

const documents = new Map<string, DocumentNode>();
/** Equal texts are one document, as the doors keep them. */
function documentOf(text: string): DocumentNode {
  const document = documents.get(text) ?? parse(text);
  documents.set(text, document);
  return document;
}

const contextOf = (viewer: Viewer | null): Context => ({
  viewer,
  services: {} as Services, // no resolver here asks them
  memo: new Map(),
});

type Asked = { query?: string; operationName?: string; variables?: Record<string, unknown>; viewer?: Viewer };
const QUERY = `subscription A($id: String, $after: String, $wide: Boolean = false, $plan: Boolean = true) {
  usageChanged(referenceId: $id, after: $after) { ... on UsageDelta { usage { used limit @include(if: $wide) ...Plan } } }
}
fragment Plan on Usage { planKey @skip(if: $plan) }`;

describe('two subscribers', () => {
  const keyOf = ({ query = QUERY, operationName, variables = {}, viewer = TOKEN }: Asked): string => {
    const document = documentOf(query);
    expect(validate(ourSchema, document)).toEqual([]);
    const name = operationName === undefined ? {} : { operationName };
    return audienceKey({
      schema: ourSchema,
      document,
      variableValues: variables,
      contextValue: contextOf(viewer),
      ...name,
    });
  };
  const both = `${QUERY} subscription B($after: String) { usageChanged(after: $after) { ...On } } fragment On on UsageDelta { cursor }`;

  it.each<[string, Asked, Asked]>([
    ['nothing', {}, {}],
    ['when their tokens end', {}, { viewer: { ...TOKEN, expiresAtMs: 9_000 } }],
    [
      'the order in which scopes are named',
      { viewer: KEY },
      { viewer: { ...KEY, scopes: new Set(['ingest', 'read']) } },
    ],
    ['where they resume', { variables: { after: 'x' } }, { variables: { after: 'y', id: 'acme' } }],
    ['variables that their document does not have', {}, { variables: { other: 1 } }],
  ])('who differ in %s are one audience', (_, one, other) => {
    expect(keyOf(one)).toBe(keyOf(other));
  });

  it.each<[string, Asked, Asked]>([
    ['tenant', {}, { viewer: { ...TOKEN, tenantId: 'tenant 2' } }],
    ['customer', {}, { viewer: { ...TOKEN, customerId: 'customer 2' } }],
    ['reference', {}, { viewer: { ...TOKEN, referenceId: 'globex' } }],
    ['features', {}, { viewer: { ...TOKEN, featureKeys: ['storage', 'exports'] } }],
    ['features, where one sees all', {}, { viewer: { ...TOKEN, featureKeys: null } }],
    ['kind of credential', {}, { viewer: KEY }],
    ['key', { viewer: KEY }, { viewer: { ...KEY, keyId: 'key 2' } }],
    ['scopes', { viewer: KEY }, { viewer: { ...KEY, scopes: new Set(['read']) } }],
    ['a variable of @include', { variables: { wide: true } }, { variables: { wide: false } }],
    ['a variable of @skip in a fragment', { variables: { plan: true } }, { variables: { plan: false } }],
    ['document', {}, { query: QUERY.replace('used', 'used reserved') }],
    ['alias', {}, { query: QUERY.replace('used', 'spent: used') }],
    ['fragment', {}, { query: QUERY.replace('{ planKey', '{ cursor planKey') }],
    ['operation', { query: both, operationName: 'A' }, { query: both, operationName: 'B' }],
  ])('who differ in %s are two audiences', (_, one, other) => {
    expect(keyOf(one)).not.toBe(keyOf(other));
  });

  it('where nothing that they can ask for tells of the credential itself, whose end is no part of the key', () => {
    const seen = new Set<GraphQLNamedType>();
    const visit = (type: GraphQLNamedType): void => {
      if (seen.has(type)) return;
      seen.add(type);
      if (isAbstractType(type)) for (const possible of ourSchema.getPossibleTypes(type)) visit(possible);
      if (!isObjectType(type)) return;
      for (const { type: of } of Object.values(type.getFields())) visit(getNamedType(of));
    };
    const roots = Object.values(ourSchema.getSubscriptionType()?.getFields() ?? {});
    for (const { type } of roots) visit(getNamedType(isNonNullType(type) ? type.ofType : type));
    const names = [...seen].map(({ name }) => name);
    expect(names).toContain('Usage');
    expect(names).not.toContain('Viewer');
    expect(names).not.toContain('ApiKey');
  });
});

/** A source that all subscribers hear, and a field that fails or waits as the test wants. */
function openWorld(isShared: boolean) {
  const waiting: ((text: string) => void)[] = [];
  let executed = 0;
  const control: { resolve: () => string | Promise<string> } = { resolve: () => 'fine' };
  const sources: { put: (item: object) => void; end: () => void }[] = [];
  const open = async function* (): AsyncGenerator<object> {
    const items: object[] = [];
    let wake = () => {};
    let isOver = false;
    sources.push({
      put: (item) => {
        items.push(item);
        wake();
      },
      end: () => {
        isOver = true;
        wake();
      },
    });
    while (!isOver) {
      const item = items.shift();
      if (item) yield item;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const Item = new GraphQLObjectType({
    name: 'Item',
    fields: { text: { type: GraphQLString, resolve: () => control.resolve() } },
  });
  const schema = new GraphQLSchema({
    query: Item,
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { items: { type: Item, subscribe: () => told(open()), resolve: toldOf } },
    }),
  });
  const onExecuted = () => {
    executed += 1;
  };
  const fanOut = new FanOut({ isShared, onExecuted });
  const subscribe = async () => {
    const args: SubscriptionArgs = {
      schema,
      document: documentOf('subscription { items { text } }'),
      contextValue: contextOf(TOKEN),
    };
    const answers = await fanOut.subscribe(args);
    if (!(Symbol.asyncIterator in answers)) throw new Error(JSON.stringify(answers));
    return answers;
  };
  const put = (item: object) => {
    for (const source of sources) source.put(item);
  };
  return { fanOut, subscribe, put, control, waiting, sources, executed: () => executed };
}

describe('an execution', () => {
  it.each([
    [true, 1],
    [false, 3],
  ])('is for all who hear the item, sharing: %s', async (isShared, executions) => {
    const { subscribe, put, executed, fanOut } = openWorld(isShared);
    const subscribers = await Promise.all([subscribe(), subscribe(), subscribe()]);
    expect(fanOut.audiences).toBe(executions);
    const next = subscribers.map((answers) => answers.next());
    await Promise.resolve();
    put({});
    for (const { value } of await Promise.all(next)) {
      expect(value?.stringify?.()).toBe('{"data":{"items":{"text":"fine"}}}');
    }
    expect(executed()).toBe(executions);
  });

  it('that fails for one is that one’s; others hear their own', async () => {
    const { subscribe, put, control } = openWorld(true);
    let calls = 0;
    control.resolve = () => {
      calls += 1;
      if (calls === 1) throw new Error('the first fails');
      return 'fine';
    };
    const subscribers = await Promise.all([subscribe(), subscribe(), subscribe()]);
    const next = subscribers.map((answers) => answers.next());
    await Promise.resolve();
    put({});
    const answers = (await Promise.all(next)).map(
      ({ value }) => value?.errors?.map(({ message }) => message) ?? value?.data,
    );
    expect(answers).toEqual([['the first fails'], { items: { text: 'fine' } }, { items: { text: 'fine' } }]);
  });

  it('tells nothing to who leaves in the middle of it, and all to who stays', async () => {
    const { subscribe, put, control, waiting, fanOut, sources } = openWorld(true);
    control.resolve = () => new Promise((resolve) => waiting.push(resolve));
    const [stays, leaves] = await Promise.all([subscribe(), subscribe()]);
    const next = [stays.next(), leaves.next()];
    await Promise.resolve();
    put({});
    await expect.poll(() => waiting.length).toBe(1);
    const gone = leaves.return(undefined);
    waiting[0]?.('late');
    expect((await next[0])?.value?.data).toEqual({ items: { text: 'late' } });
    expect(await next[1]).toEqual({ done: true, value: undefined });
    expect(fanOut.audiences).toBe(1);
    for (const source of sources) source.end();
    await Promise.all([gone, stays.next()]);
    expect(fanOut.audiences).toBe(0);
  });
});
