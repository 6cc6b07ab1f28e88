/** usage — everybody follows a customer with a token of its own (`usageChanged`): pushes to one, and under a steady load. */
import { setTimeout as sleep } from 'node:timers/promises';
import { referenceOf } from '../catalog.ts';
import { whole } from '../table.ts';
import { consume, consumeSteadily } from './load.ts';
import { cpuOf, forgetAll, latencies, leave, measureMemory, note, type Run, repeated, WANTED } from './run.ts';
import type { Watcher } from './said.ts';

const PER_SECOND = 1_000;
const STEADY_MS = 6_000;
const WARM_UP_MS = 2_000;
const PUSHES_UNMEASURED = 20;
const PUSHES_TO_ONE = 30;
/** Less often than the pace of a customer's meters, so that nothing waits for it. */
const BETWEEN_PUSHES_MS = 130;

const USAGE = `subscription Meter {
  usageChanged {
    __typename
    ... on UsageSnapshot { usages { ...Shown } cursor }
    ... on UsageDelta { usage { ...Shown } cursor }
    ... on CursorExpired { message }
  }
}
fragment Shown on Usage {
  referenceId
  feature { key displayName unit }
  planKey used reserved limit remaining
  period { start end }
}`;

const watcherOf = (bearer: string): Watcher => ({ bearer, query: USAGE, hasSnapshot: true });

export async function measureUsage(run: Run): Promise<void> {
  const { gateway, watchers: count, customers } = run;
  await steadily(run, WARM_UP_MS);
  const alone = await cpuOf(gateway, () => steadily(run, STEADY_MS / 2));
  const aloneMicros = alone.micros / alone.result.consumes;
  note(run, 'a consume, nobody listening', 'µs', [aloneMicros]);

  const references = Array.from({ length: count }, (_, i) => referenceOf(i % customers));
  const [bearer = '', ...bearers] = await gateway.ask<string[]>({
    ask: 'tokens',
    references: [referenceOf(customers), ...references],
  });
  await measureMemory(run, 'usageChanged', bearers.map(watcherOf));
  await measurePushes(run, bearer);
  await measureSteadily(run, aloneMicros);
  await leave(run, 'usageChanged');
}

const steadily = ({ url, customers }: Run, forMs: number) =>
  consumeSteadily(url, { perSecond: PER_SECOND, forMs, customers });

/** To one more, whom nobody else watches, while all the others hear nothing. */
async function measurePushes(run: Run, bearer: string): Promise<void> {
  const { url, watcherProcess, customers } = run;
  await watcherProcess.ask({ ask: 'open', url, watchers: [watcherOf(bearer)] });
  const push = async (times: number) => {
    for (let i = 0; i < times; i += 1) {
      await consume(url, [customers]);
      await sleep(BETWEEN_PUSHES_MS);
    }
    return latencies(run);
  };
  await push(PUSHES_UNMEASURED);
  const found = await repeated(() => push(PUSHES_TO_ONE));
  const of = (read: (of: (typeof found)[number]) => number) => found.map(read);
  note(
    run,
    'push to one, commit → client',
    'p50 ms',
    of(({ p50Ms }) => p50Ms),
    WANTED.pushToOneP50Ms,
  );
  note(
    run,
    'push to one, commit → client',
    'p99 ms',
    of(({ p99Ms }) => p99Ms),
  );
  note(
    run,
    'push to one: told',
    '%',
    of(({ count }) => (100 * count) / PUSHES_TO_ONE),
  );
}

async function measureSteadily(run: Run, aloneMicros: number): Promise<void> {
  const { gateway, watcherProcess } = run;
  await steadily(run, WARM_UP_MS);
  await forgetAll(run);
  const { micros, result } = await cpuOf(gateway, () => steadily(run, STEADY_MS));
  await sleep(300);
  const received = await watcherProcess.ask<number>({ ask: 'received' });
  const perSecond = (count: number) => [(count / result.tookMs) * 1_000];
  note(
    run,
    `consumes, of ${whole(PER_SECOND)} asked for`,
    'a second',
    perSecond(result.consumes),
    WANTED.consumesPerSecond,
  );
  note(run, 'pushes', 'a second', perSecond(received));
  note(run, 'the gateway', '% of a core', [micros / result.tookMs / 10]);
  note(run, 'a push, the consumes taken off', 'µs', [(micros - aloneMicros * result.consumes) / received]);
  const { p50Ms, p99Ms, maxMs } = await latencies(run);
  note(run, 'commit → client', 'p50 ms', [p50Ms]);
  note(run, 'commit → client', 'p99 ms', [p99Ms], WANTED.commitToClientP99Ms);
  note(run, 'commit → client', 'max ms', [maxMs]);
}
