/**
 * Goal: a feature that is archived can't be used any more, and what was done with it can still be ended, put right and read.
 * Method: a config that has lost the feature, and every call that names a hold, a grant or an event of it.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { syncConfig } from '../../server/actions/sync-config.ts';
import { defineConfig } from '../../server/index.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { openRig, type Rig } from './rig.ts';

const CALLS = { aggregation: 'sum', reset: 'monthly', limit: 10 } as const;
const BEFORE = defineConfig({
  features: { old: CALLS, calls: CALLS },
  plans: { pro: { features: { old: {}, calls: {} } } },
});
const AFTER = defineConfig({ features: { calls: CALLS }, plans: { pro: { features: { calls: {} } } } });

const ERROR = '... on UserError { code message }';
const ids = { hold: '', freed: '', grant: '', event: '' };
let rig: Rig;

/** One mutation, and what its union answered. */
async function call(verb: string, input: Record<string, unknown>, selection: string) {
  const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { answer: ${verb}(input: $input) { ${selection} ${ERROR} } }`;
  const { answer } = await rig.data<{ answer: Record<string, string> }>(document, { input });
  return answer;
}

const USE = { referenceId: 'acme', featureKey: 'old' };
const CONSUMPTION = '... on Consumption { amount usage { used reserved } }';

beforeAll(async () => {
  rig = await openRig({ config: BEFORE });
  await call('consume', { ...USE, amount: '5' }, CONSUMPTION);
  ids.hold = (await call('reserve', { ...USE, amount: '2' }, '... on Reservation { id }')).id ?? '';
  ids.freed = (await call('reserve', { ...USE, amount: '1' }, '... on Reservation { id }')).id ?? '';
  ids.grant = (await call('grantCredits', { ...USE, amount: '3' }, '... on Grant { id }')).id ?? '';
  const events = await rig.data<{ events: { nodes: { id: string }[] } }>(
    '{ events(first: 1, referenceId: "acme", featureKey: "old") { nodes { id } } }',
  );
  ids.event = events.events.nodes[0]?.id ?? '';
  const { database, clock, tenantId } = rig;
  const { announce } = rig.gateway.services;
  await syncConfig({ database, clock, announce }, tenantId, parseConfig(AFTER, 'the test').definition);
});

describe('of an archived feature', () => {
  it('nothing more is used, held or given', async () => {
    const NOT_FOUND = { code: 'FEATURE_NOT_FOUND' };
    expect(await call('consume', USE, CONSUMPTION)).toMatchObject(NOT_FOUND);
    expect(await call('reserve', USE, '... on Reservation { id }')).toMatchObject(NOT_FOUND);
    expect(await call('grantCredits', { ...USE, amount: '1' }, '... on Grant { id }')).toMatchObject(NOT_FOUND);
  });

  it.each(['', 'usages { used }', 'limits { limit }'])(
    'holds and grants tell their meter, also beside "%s"',
    async (also) => {
      const { customer } = await rig.data<{ customer: Record<string, unknown> }>(
        `{ customer(referenceId: "acme") { ${also}
        reservations(first: 9, state: OPEN) { nodes { usage { used reserved } } }
        grants(first: 9, featureKey: "old") { nodes { usage { used reserved } } }
      } }`,
      );
      const meter = { usage: { used: '5', reserved: '3' } };
      expect(customer).toMatchObject({ reservations: { nodes: [meter, meter] }, grants: { nodes: [meter] } });
    },
  );

  it('the meter is not among all', async () => {
    const { customer } = await rig.data<{ customer: Record<string, unknown> }>(
      `{ customer(referenceId: "acme") { usages { feature { key } } reservations(first: 1) { nodes { usage { used } } } } }`,
    );
    expect(customer.usages).toEqual([{ feature: { key: 'calls' } }]);
  });

  it('holds are committed and released, grants voided, events reversed', async () => {
    expect(await call('commitReservation', { reservationId: ids.hold }, CONSUMPTION)).toMatchObject({
      amount: '2',
      usage: { used: '7', reserved: '1' },
    });
    expect(
      await call('releaseReservation', { reservationId: ids.freed }, '... on Reservation { state usage { reserved } }'),
    ).toMatchObject({ state: 'RELEASED', usage: { reserved: '0' } });
    expect(await call('voidGrant', { grantId: ids.grant }, '... on Grant { state remaining }')).toMatchObject({
      state: 'VOIDED',
      remaining: '0',
    });
    expect(await call('reverseEvent', { eventId: ids.event }, CONSUMPTION)).toMatchObject({
      amount: '-5',
      usage: { used: '2' },
    });
  });
});
