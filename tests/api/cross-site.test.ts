/** Goal: a page of another site can do nothing here unasked, and asked only if the operator has listed it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY } from '../support/gateway.ts';
import type { HttpReply } from '../support/http-client.ts';
import { CONSUME, leavingNoTrace, openRig, type Rig, refusalsOf, use } from './rig.ts';

const LISTED = 'https://app.example';

let rig: Rig;

beforeAll(async () => {
  rig = await openRig({ corsOrigins: [LISTED, 'https://other.example'] });
});

const consumeBody = (): string => JSON.stringify({ query: CONSUME, variables: use() });
const query = (text: string): string => JSON.stringify({ query: text });

describe('a content type', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
    'application/jsonp',
    'text/json',
    'Application/JSON',
    '',
  ])('"%s" is refused: a form on another site could send it unasked', async (type) => {
    const send = () => rig.raw(consumeBody(), { 'content-type': type });
    const reply = await leavingNoTrace(rig, send);
    expect({ status: reply.status, ...refusalsOf(reply) }).toMatchObject({
      status: 415,
      codes: ['UNSUPPORTED_MEDIA_TYPE'],
    });
  });

  it('a form with operations and a map is refused', async () => {
    const form = new FormData();
    form.set('operations', consumeBody());
    form.set('map', '{}');
    const reply = await leavingNoTrace(rig, async () => {
      const response = await fetch(rig.graphqlUrl, {
        method: 'POST',
        body: form,
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      });
      return { status: response.status, ...JSON.parse(await response.text()) } as HttpReply;
    });
    expect(reply).toMatchObject({ status: 415, errors: [{ extensions: { code: 'UNSUPPORTED_MEDIA_TYPE' } }] });
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8'])(
    '"%s" is read',
    async (type) => {
      expect(await rig.raw(query('{ __typename }'), { 'content-type': type })).toMatchObject({
        status: 200,
        data: { __typename: 'Query' },
      });
    },
  );
});

describe('a method', () => {
  const get = (text: string, method = 'GET') =>
    fetch(`${rig.graphqlUrl}?query=${encodeURIComponent(text)}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });

  it('GET does not change anything', async () => {
    const mutation = 'mutation { consume(input: { referenceId: "acme", featureKey: "api_calls" }) { __typename } }';
    const response = await leavingNoTrace(rig, () => get(mutation));
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: expect.stringMatching(/^[A-Z_]+$/) } }],
    });
  });

  it('GET asks', async () => {
    expect(await (await get('{ __typename }')).json()).toEqual({ data: { __typename: 'Query' } });
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('%s is not served', async (method) => {
    const response = await leavingNoTrace(rig, () => get('{ __typename }', method));
    expect(response.status).toBe(405);
    await response.arrayBuffer();
  });
});

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    fetch(rig.graphqlUrl, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  it('that is listed may call', async () => {
    const { status, headers } = await preflight(LISTED);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(LISTED);
    expect(headers.get('access-control-allow-headers')).toMatch(/authorization/i);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toMatch(/origin/i);
    const answer = await rig.raw(query('{ __typename }'), { origin: LISTED });
    expect(answer.headers.get('access-control-allow-origin')).toBe(LISTED);
  });

  it.each([
    'https://evil.example',
    'null',
    'https://app.example.evil.example',
    'http://app.example',
    'https://APP.example',
  ])('%s, which is not, may not', async (origin) => {
    const { headers } = await preflight(origin);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    const answer = await rig.raw(query('{ __typename }'), { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('none is listed unless the operator lists one', async () => {
    const closed = await openRig();
    const response = await fetch(closed.graphqlUrl, {
      method: 'OPTIONS',
      headers: { origin: LISTED, 'access-control-request-method': 'POST' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});
