/** rooms — which part of a call's way a source file belongs to. */

/** In the order of a call's way. */
export const ROOMS = [
  'door',
  'parse, validate',
  'execute',
  'engine, decide',
  'announce, count',
  'store, encode',
  'driver',
  'other packages',
  'garbage collector',
  'Node and system calls',
] as const;
export type Room = (typeof ROOMS)[number];

/** The first that fits the path. */
const ROOM_OF_PATH: readonly (readonly [RegExp, Room])[] = [
  [/^node_modules\/(graphql\/(language|validation|utilities|type|error)|@escape\.tech)\//, 'parse, validate'],
  [/^server\/(document-|operation-params)/, 'parse, validate'],
  [/^node_modules\/(graphql|graphql-jit|@pothos|@graphql-tools)\//, 'execute'],
  [/^server\/(schema\/|graphql-errors|operations|answer-type)/, 'execute'],
  [/^node_modules\/(graphql-yoga|@graphql-yoga|@envelop|@whatwg-node|@repeaterjs|graphql-ws|ws)\//, 'door'],
  [/^server\/metering\/store\//, 'store, encode'],
  [/^server\/db\//, 'store, encode'],
  [/^server\/(metering|domain|hooks)\//, 'engine, decide'],
  [/^server\/(events\/|metrics)/, 'announce, count'],
  [/^node_modules\/(prom-client|tdigest)\//, 'announce, count'],
  [/^node_modules\/(postgres|drizzle-orm)\//, 'driver'],
  [/^server\/actions\//, 'engine, decide'],
  [/^server\//, 'door'],
  [/^node_modules\//, 'other packages'],
  [/^node:(_http|http|internal\/http)/, 'door'],
];

/** Null where the path does not tell, as Node's own code works for all. */
export const roomOfPath = (path: string): Room | null =>
  ROOM_OF_PATH.find(([pattern]) => pattern.test(path))?.[1] ?? null;

/** What V8 calls what is no function of anybody. */
const ROOM_OF_NAME: Readonly<Record<string, Room>> = {
  '(garbage collector)': 'garbage collector',
  '(program)': 'Node and system calls',
};

/** @param callerRoom Of who called it: Node's own code works for whoever asked for it. */
export const roomOf = (functionName: string, path: string, callerRoom: Room | null): Room | null =>
  ROOM_OF_NAME[functionName] ?? roomOfPath(path) ?? callerRoom;

/** Folder of a path in the project, or a package by its name; Node's own code is one. */
export function folderOf(path: string): string {
  if (path === '' || path.startsWith('node:')) return 'Node';
  const [first = '', second = '', third = ''] = path.split('/');
  if (first === 'node_modules') return second.startsWith('@') ? `${second}/${third}` : second;
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : path;
}
