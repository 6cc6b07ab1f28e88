/** Goal: what one gateway says another understands, within what Postgres carries; and nobody can say what breaks it. */
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, hintOf, type Message } from './bus.ts';
import { ACME, TENANT } from './testing/world.ts';

const MESSAGES: readonly Message[] = [
  { kind: 'moved', from: 'g1', customers: [[TENANT, ACME, '11', '12', 1]] },
  { kind: 'moved', from: 'g1', customers: [] },
  { kind: 'catalog', from: 'g1', tenantId: TENANT },
  { kind: 'customer', from: 'g1', tenantId: TENANT, customerId: ACME },
  { kind: 'much', from: 'g1' },
];

describe('the bus', () => {
  it.each(MESSAGES)('carries $kind', (message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it.each([10, 80, 100, 1_000])('says of %i customers what fits, or that it is much', (count) => {
    const customers = Array.from({ length: count }, (_, i) => ({
      tenantId: TENANT,
      id: ACME,
      sequenceBefore: BigInt(i),
      sequence: BigInt(i + 1),
    }));
    // Only these four fields of a customer are said.
    const changes = { customers, alerts: [] } as unknown as Parameters<typeof hintOf>[1];
    const { payload } = hintOf('g1', changes);
    expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
    const message = decodeMessage(payload);
    expect(message?.kind === 'moved' ? message.customers.length : 'much').toBe(count <= 80 ? count : 'much');
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
    '{"kind":"much","from":7}',
    '{"kind":"unheard of","from":"g1"}',
  ])('takes %s for nothing', (payload) => {
    expect(decodeMessage(payload)).toBeNull();
  });
});
