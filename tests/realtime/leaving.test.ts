/** Goal: of a reader who has gone nothing stays, however it went and although nothing moves any more. */
import { beforeAll, describe, expect, it } from 'vitest';
import { openAlerts, openLive, openRig, openUsage, type Rig, register, type Stream, WAYS } from './rig.ts';

const GOODBYES: Readonly<Record<string, (stream: Stream<unknown>) => void>> = {
  unsubscribe: (stream) => stream.leave(),
  'lose their connection': (stream) => stream.cut(),
};

describe.each(WAYS)('over %s', (way) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
    await register(rig, 'acme');
    await register(rig, 'globex');
  });

  it.each(Object.keys(GOODBYES))('ten readers who %s leave nothing behind', async (how) => {
    const { streams } = rig.gateway.services;
    const opened = await Promise.all([
      ...Array.from({ length: 3 }, () => openUsage(rig, { referenceId: 'acme' }, { way })),
      ...Array.from({ length: 2 }, () => openUsage(rig, { referenceId: 'globex' }, { way })),
      ...Array.from({ length: 2 }, () => openAlerts(rig, { referenceId: 'acme' }, { way })),
      openAlerts(rig, {}, { way }),
      openLive(rig, { way }),
      openLive(rig, { way }),
    ]);
    await expect.poll(() => [streams.openStreams, streams.customersWatched]).toEqual([10, 2]);
    for (const stream of opened) GOODBYES[how]?.(stream);
    await expect.poll(() => [streams.openStreams, streams.customersWatched, streams.tenantsWatched]).toEqual([0, 0, 0]);
  });

  it('readers who are refused leave nothing behind', async () => {
    const { streams } = rig.gateway.services;
    const refused = await openUsage(rig, { referenceId: 'acme', after: 'nonsense' }, { way });
    await expect(refused.next()).rejects.toThrow('INVALID_CURSOR');
    const alerts = await openAlerts(rig, { after: 'nonsense' }, { way });
    await expect(alerts.next()).rejects.toThrow('INVALID_CURSOR');
    await expect.poll(() => [streams.openStreams, streams.customersWatched, streams.tenantsWatched]).toEqual([0, 0, 0]);
  });
});
