/** Goal: no time of a profile is lost, told twice or told of the wrong room. Method: a profile of a few nodes, by hand. */
import { expect, it } from 'vitest';
import { profiled, totalUs } from './call-tree.ts';
import { type CpuProfile, selfTimes } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { folderOf, roomOfPath } from './rooms.ts';
import { tables } from './tables.ts';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 0, columnNumber: 0 });

/** Microseconds from 1,000: 10 idle, 20 in `net`, 30 in the driver, 40 in `net` called by the driver, 50 collecting, 60 in the engine. */
const PROFILE: CpuProfile = {
  startTime: 1_000,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 6, 7] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('onStreamRead', 'node:internal/stream'), children: [4] },
    { id: 4, callFrame: frame('data', 'node_modules/postgres/src/connection.js'), children: [5] },
    { id: 5, callFrame: frame('write', 'node:net') },
    { id: 6, callFrame: frame('(garbage collector)') },
    { id: 7, callFrame: frame('<T> & run', 'server/metering/engine.ts') },
  ],
  samples: [2, 3, 4, 5, 6, 7],
  timeDeltas: [10, 20, 30, 40, 50, 60],
};
const all = profiled(PROFILE, 1_000, 2_000, ({ url }) => url);

it("what Node does for somebody is that one's, and idle time is nobody's", () => {
  expect(Object.fromEntries(all.byRoom)).toEqual({
    'Node and system calls': 20,
    driver: 70,
    'garbage collector': 50,
    'engine, decide': 60,
  });
  expect(Object.fromEntries(all.byFolder)).toEqual({ Node: 70, postgres: 70, 'server/metering/': 60 });
  expect(all.busyUs).toBe(200);
  expect(totalUs(all.tree)).toBe(200);
});

it('only what was sampled between two instants counts', () => {
  expect(Object.fromEntries(selfTimes(PROFILE, 1_030, 1_100))).toEqual({ 3: 20, 4: 30, 5: 40 });
});

it.each([
  ['server/http.ts', 'door', 'server/'],
  ['server/schema/usage.ts', 'execute', 'server/schema/'],
  ['server/metering/store/save.ts', 'store, encode', 'server/metering/store/'],
  ['server/metering/batch.ts', 'engine, decide', 'server/metering/'],
  ['server/domain/decision.ts', 'engine, decide', 'server/domain/'],
  ['node_modules/graphql/validation/validate.js', 'parse, validate', 'graphql'],
  ['node_modules/graphql/execution/execute.js', 'execute', 'graphql'],
  ['node_modules/@whatwg-node/server/index.js', 'door', '@whatwg-node/server'],
  ['node:_http_server', 'door', 'Node'],
  ['node:net', null, 'Node'],
  ['', null, 'Node'],
])('%j is of the room %j and of %j', (path, room, folder) => {
  expect(roomOfPath(path)).toBe(room);
  expect(folderOf(path)).toBe(folder);
});

it('a flame graph has a bar for each function, and no name breaks its text', () => {
  const svg = flameGraph(all.tree, 'a & b', 10);
  expect(svg.match(/<g>/g)).toHaveLength(6); // all, onStreamRead, data, write, (garbage collector), run
  expect(svg).toContain('&lt;T&gt; &amp; run — server/metering/engine.ts: 6.0 µs a call, 30.0 % (engine, decide)');
  expect(svg).toContain('a &amp; b');
});

it.each([
  [30, 'Postgres, beside it 30.0', 'from door to commit 130'],
  [null, 'Postgres, beside it –', 'from door to commit –'], // where the system does not tell
])('tells a call whole, with %j µs in Postgres', (databaseCpuUs, beside, whole) => {
  const text = tables(all, { calls: 10, callsPerSecond: 5, databaseCpuUs }, 100);
  const lines = text.split('\n').map((line) => line.replace(/[| ]+/g, ' ').trim());
  expect(lines).toEqual(
    expect.arrayContaining(['driver 35.0 35.0 %', 'door 0.00 0.00 %', 'the gateway, in all 100 100 %', beside, whole]),
  );
});
