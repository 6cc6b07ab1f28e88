/** Goal: a customer token of some features hears of those, and of any other what it hears of none. */
import { expect, it } from 'vitest';
import { CONSUME, makeToken, openRig, use } from '../api/rig.ts';

it('no alert of another feature reaches it', async () => {
  const rig = await openRig();
  const token = await makeToken(rig, { featureKeys: ['storage'] });
  const { usage } = await rig
    .as(token)
    .data<{ usage: { cursor: string } }>('{ usage(featureKey: "storage") { cursor } }');
  const socket = await rig.openWs(token);
  socket.subscribe(
    'alert',
    'subscription ($after: String) { alertRaised(after: $after) { ... on AlertRaised { alert { referenceId featureKey used } } } }',
    { after: usage.cursor },
  );
  for (let i = 0; i < 8; i++) await rig.data(CONSUME, use({ featureKey: 'exports' })); // the 8th of 10 raises one
  await rig.data(CONSUME, use({ referenceId: 'other', featureKey: 'storage', amount: 90 }));
  await rig.data(CONSUME, use({ featureKey: 'storage', amount: 85 }));
  expect(await socket.waitForNext('alert')).toEqual({
    data: { alertRaised: { alert: { referenceId: 'acme', featureKey: 'storage', used: '85' } } },
  });
});

it('a stream of another feature is refused as one of none is, with its code', async () => {
  const rig = await openRig();
  const socket = await rig.openWs(await makeToken(rig, { featureKeys: ['storage'] }));
  const refusal = async (key: string) => {
    socket.subscribe(key, `subscription { usageChanged(featureKeys: ["${key}"]) { __typename } }`);
    return JSON.stringify(await socket.waitForNext(key)).replaceAll(key, 'KEY');
  };
  const ofAnother = await refusal('exports');
  expect(ofAnother).toContain('FEATURE_NOT_FOUND');
  expect(ofAnother).toBe(await refusal('telepathy'));
});
