/** Goal: what one gateway says another understands, within what Postgres carries; and nobody can say what breaks it. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { customerIdOf } from '../domain/customer.ts';
import { decodeMessage, hintOf, hintOfMoves, type Message } from './bus.ts';
import { ACME, TENANT } from './testing/world.ts';

/** The largest that Postgres can count. */
const SEQUENCE_MAX = 2n ** 63n - 1n;

const MESSAGES: readonly Message[] = [
  { kind: 'moved', from: 'g1', customers: [[TENANT, ACME, '11', '12', 1]] },
  { kind: 'moved', from: 'g1', customers: [] },
  { kind: 'catalog', from: 'g1', tenantId: TENANT },
  { kind: 'customer', from: 'g1', tenantId: TENANT, customerId: ACME },
];

describe('the bus', () => {
  it.each(MESSAGES)('carries $kind', (message) => {
    expect(hintOf(message).payloads.map(decodeMessage)).toEqual([message]);
  });

  it.each([1, 60, 61, 200, 1_000])('names all of %i customers, each in what Postgres carries', (count) => {
    const customers = Array.from({ length: count }, (_, i) => ({
      tenantId: TENANT,
      id: customerIdOf(TENANT, `${i}`),
      sequenceBefore: SEQUENCE_MAX - 1n,
      sequence: SEQUENCE_MAX,
    }));
    const alerts = customers.slice(-1).map(({ id }) => ({ customerId: id }));
    const { payloads } = hintOfMoves(randomUUID(), { customers, alerts });
    for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
    expect(payloads.length).toBeLessThanOrEqual(Math.ceil(count / 60));
    const messages = payloads.map(decodeMessage);
    const named = messages.flatMap((message) => (message?.kind === 'moved' ? message.customers : []));
    expect(named).toEqual(
      customers.map(({ id }, i) => [TENANT, id, `${SEQUENCE_MAX - 1n}`, `${SEQUENCE_MAX}`, i === count - 1 ? 1 : 0]),
    );
  });

  it.each([
    'not json',
    'null',
    '12',
    '"moved"',
    '{}',
    '{"kind":"moved"}',
    '{"kind":"moved","from":"g1"}',
    '{"kind":"moved","from":"g1","customers":7}',
    '{"kind":"moved","from":"g1","customers":[7]}',
    `{"kind":"moved","from":"g1","customers":[["${TENANT}","${ACME}","11","twelve",1]]}`,
    `{"kind":"moved","from":"g1","customers":[["${TENANT}","${ACME}","11",12,1]]}`,
    '{"kind":"catalog","from":"g1"}',
    '{"kind":"catalog","from":"g1","tenantId":null}',
    '{"kind":"customer","from":"g1","tenantId":"t"}',
    '{"kind":"catalog","from":7,"tenantId":"t"}',
    '{"kind":"unheard of","from":"g1"}',
  ])('takes %s for nothing', (payload) => {
    expect(decodeMessage(payload)).toBeNull();
  });
});
