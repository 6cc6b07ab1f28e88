/** Goal: `/graphql` speaks GraphQL over HTTP as the specification has it. Method: the audits of graphql-http. */
import { serverAudits } from 'graphql-http';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY } from '../support/gateway.ts';
import { openRig } from './rig.ts';

let url: string;

beforeAll(async () => {
  url = (await openRig()).graphqlUrl;
});

/** The audits know nothing of credentials. */
const fetchFn: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set('authorization', `Bearer ${ADMIN_KEY}`);
  return fetch(input, { ...init, headers });
};

describe('the audits of GraphQL over HTTP', () => {
  for (const { id, name, fn } of serverAudits({ url: () => url, fetchFn })) {
    it(`${id} ${name}`, async () => {
      const result = await fn();
      expect(result.status === 'ok' ? 'ok' : result.reason).toBe('ok');
    });
  }
});
