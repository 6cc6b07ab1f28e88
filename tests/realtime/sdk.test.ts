/**
 * Goal: an app that follows usage and alerts by the SDK ends with the truth and hears each alert once, however often the
 * line is cut, its token runs out, or its gateway is replaced by another. Method: the SDK over a line that a test cuts.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createMetergraphClient, type LiveStatus, type UsageState } from '../../client-sdk/src/index.ts';
import { afterUse } from '../support/after-use.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { describePostgres } from '../support/postgres.ts';
import { type Line, openLine } from './line.ts';
import { consume, openPair, openRig, type Rig, register, tokenOf, truthOf, WAYS, type Way } from './rig.ts';

/** Everything that an app would draw. */
class App {
  state: UsageState | null = null;
  readonly alerts: string[] = [];
  readonly statuses: LiveStatus[] = [];
  readonly errors: unknown[] = [];
  /** From then on it hears every alert. */
  hearsAlerts = false;

  get shown(): string {
    return [...(this.state?.usages.values() ?? [])].map(({ feature, used }) => `${feature.key} ${used}`).join(', ');
  }
}

type Credential = { readonly apiKey: string } | { readonly getToken: () => Promise<string> };

function openApp(line: Line, referenceId: string, way: Way, credential: Credential = { apiKey: ADMIN_KEY }): App {
  const app = new App();
  const client = createMetergraphClient({
    url: `${line.url}/graphql`,
    ...credential,
    webSocketImpl: way === 'WebSocket' ? WebSocket : null,
    random: () => 0, // comes back at once
  });
  afterUse(() => client.close());
  client.onUsage(
    { referenceId },
    {
      onChange: (state) => {
        app.state = state;
      },
      onStatus: (status) => app.statuses.push(status),
      onError: (error) => !error.retryable && app.errors.push(error),
    },
  );
  client.onAlert(
    { referenceId },
    {
      onAlert: ({ featureKey, threshold }) => app.alerts.push(`${featureKey} ${threshold.value}`),
      onGap: (message) => app.errors.push(message),
      onStatus: (status) => {
        app.hearsAlerts ||= status === 'live';
      },
    },
  );
  return app;
}

const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000, interval: 10 });

async function spellTruth(rig: Rig, referenceId: string): Promise<string> {
  const { api_calls, exports, storage } = await truthOf(rig, referenceId);
  return `api_calls ${api_calls?.used}, exports ${exports?.used}, storage ${storage?.used}`;
}

describe.each(WAYS)('an app that follows a customer over %s', (way) => {
  it('ends with the truth, and hears each alert once, wherever its line is cut', async () => {
    const rig = await openRig();
    const line = await openLine(rig.url);
    let customers = 0;
    const step = fc.constantFrom('use', 'use', 'use', 'cut', 'stay away', 'come back');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const referenceId = `app ${customers++}`;
        line.mend();
        await register(rig, referenceId);
        const app = openApp(line, referenceId, way);
        await eventually(() => app.shown).toBe('api_calls 0, exports 0, storage 0');
        await eventually(() => app.hearsAlerts).toBe(true);
        let used = 75;
        await consume(rig, referenceId, 'storage', { amount: used });
        for (const each of steps) {
          if (each === 'cut' || each === 'stay away') line.cut();
          if (each === 'cut' || each === 'come back') line.mend();
          if (each !== 'use') continue;
          await consume(rig, referenceId, used < 100 ? 'storage' : 'api_calls', { amount: 5 });
          used += 5;
        }
        line.mend();
        await eventually(() => app.shown).toBe(await spellTruth(rig, referenceId));
        const reached = [...(used >= 80 ? ['storage 0.8'] : []), ...(used >= 100 ? ['storage 1'] : [])];
        await eventually(() => app.alerts).toEqual(reached);
        expect(app.errors).toEqual([]);
      }),
      { numRuns: 8 },
    );
  }, 120_000); // every run is made, also on a machine that is busy with others

  it('goes on with a new token when the old one has run out', async () => {
    const rig = await openRig();
    const line = await openLine(rig.url);
    await register(rig, 'acme');
    let asked = 0;
    const getToken = () => {
      asked += 1;
      return tokenOf(rig, 'acme', { ttlSeconds: 60 });
    };
    const app = openApp(line, 'acme', way, { getToken });
    await eventually(() => app.shown).toBe('api_calls 0, exports 0, storage 0');
    await eventually(() => app.hearsAlerts).toBe(true);
    rig.clock.advance(61_000);
    await eventually(() => asked).toBeGreaterThan(1);
    await consume(rig, 'acme', 'storage', { amount: 80 });
    await eventually(() => app.shown).toBe('api_calls 0, exports 0, storage 80');
    await eventually(() => app.alerts).toEqual(['storage 0.8']);
    expect(app.errors).toEqual([]);
    expect(app.statuses.at(-1)).toBe('live');
  });
});

describePostgres('an app whose gateway is replaced by another', () => {
  it.each(WAYS)('misses nothing over %s', async (way) => {
    const { one, other } = await openPair();
    await register(one, 'acme');
    const first = await openLine(one.url);
    const app = openApp(first, 'acme', way);
    await eventually(() => app.shown).toBe('api_calls 0, exports 0, storage 0');
    await eventually(() => app.hearsAlerts).toBe(true);
    await consume(other, 'acme', 'storage', { amount: 80 });
    await eventually(() => app.alerts).toEqual(['storage 0.8']);
    first.cut();
    await consume(other, 'acme', 'storage', { amount: 20 });
    first.lead(other.url);
    first.mend();
    await eventually(() => app.alerts).toEqual(['storage 0.8', 'storage 1']);
    await eventually(() => app.shown).toBe('api_calls 0, exports 0, storage 100');
    expect(app.errors).toEqual([]);
  });
});
