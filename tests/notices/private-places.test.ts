/**
 * Goal: an endpoint in a network of our own can't be made, nor moved there. Method: the API, by a gateway that sends to the
 * internet alone, as one does that is not told otherwise.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../support/engines.ts';
import { ENDPOINTS, openRig, type Rig } from './rig.ts';

let rig: Rig;
let endpointId: string;

beforeAll(async () => {
  rig = await openRig(await openEmbedded(), { webhooks: {} });
  ({ id: endpointId } = await rig.addEndpoint('https://hooks.example/', ['BALANCE_LOW']));
});

const PLACES: readonly (readonly [url: string, found: string])[] = [
  ['https://127.0.0.1/', 'not public (loopback)'],
  ['https://127.1/', 'not public (loopback)'],
  ['https://2130706433/', 'not public (loopback)'],
  ['https://0x7f000001/', 'not public (loopback)'],
  ['https://localhost:8443/', 'not public (loopback)'],
  ['https://hooks.localhost/', 'not public (loopback)'],
  ['https://[::1]/', 'not public (loopback)'],
  ['https://[::ffff:10.0.0.1]/', 'not public (private)'],
  ['https://10.1.2.3/', 'not public (private)'],
  ['https://192.168.0.1/', 'not public (private)'],
  ['https://169.254.169.254/latest/meta-data/', 'not public (linkLocal)'],
  ['https://[fd00::1]/', 'not public (uniqueLocal)'],
  ['https://100.64.0.1/', 'not public (carrierGradeNat)'],
  ['https://0.0.0.0/', 'not public (unspecified)'],
  ['http://hooks.example/', 'only "https:" is sent to'],
  ['file:///etc/passwd', 'only "https:" is sent to'],
  ['https://user:password@hooks.example/', 'user name or password'],
];

const CREATE = `mutation ($url: String!) {
  createWebhookEndpoint(input: { url: $url, eventTypes: [BALANCE_LOW] }) { __typename ... on UserError { code message path } }
}`;
const UPDATE = `mutation ($url: String!, $id: ID!) {
  updateWebhookEndpoint(input: { endpointId: $id, url: $url }) { __typename ... on UserError { code message path } }
}`;

describe.each(PLACES)('%s', (url, found) => {
  const refused = { code: 'INVALID_INPUT', message: expect.stringContaining(found), path: ['input', 'url'] };

  it('is refused for a new endpoint', async () => {
    expect(await rig.data(CREATE, { url })).toMatchObject({ createWebhookEndpoint: refused });
  });

  it('is refused for one that there is', async () => {
    expect(await rig.data(UPDATE, { url, id: endpointId })).toMatchObject({ updateWebhookEndpoint: refused });
    expect(await rig.data(ENDPOINTS)).toMatchObject({
      webhookEndpoints: { nodes: [{ url: 'https://hooks.example/' }] },
    });
  });
});
