/** Goal: an app hears what to offer a customer, and a customer's own token hears of no other plan than its own. Method: both ask. */
import { expect, it } from 'vitest';
import { openBilling } from './rig.ts';

it('what would help is told to keys, and not to a token of the customer', async () => {
  const rig = await openBilling();
  const { token } = await rig.write('createCustomerToken', { referenceId: 'acme' }, '... on CustomerToken { token }');
  const ask = '{ usage(referenceId: "acme", featureKey: "api_calls") { limit upgrades { key } } }';
  const upgrades = [{ key: 'pro' }, { key: 'team' }];
  expect(await rig.data(ask)).toEqual({ usage: { limit: '5', upgrades } });
  expect(await rig.as(String(token)).data(ask)).toEqual({ usage: { limit: '5', upgrades: [] } });
});
