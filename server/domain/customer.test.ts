/** Goal: a customer's id is the name-based UUID that everybody else computes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { customerIdOf } from './customer.ts';

const DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
const URL_NAMESPACE = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';

/** The first is of RFC 9562, appendix A.4; the others are what Python's uuid5 says. */
it.each([
  [DNS, 'www.example.com', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
  [DNS, 'python.org', '886313e1-3b8a-5372-9b90-0c9aee199e5d'],
  [URL_NAMESPACE, 'http://www.ietf.org/rfc/rfc4122.txt', 'd0690b3c-b29d-52e7-81b0-d573b503f2d4'],
])('%s %s → %s', (namespace, name, id) => expect(customerIdOf(namespace, name)).toBe(id));

it('is a version 5 UUID, the same each time, whatever the reference', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.string({ unit: 'grapheme' }), (tenantId, referenceId) => {
      const id = customerIdOf(tenantId, referenceId);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(customerIdOf(tenantId.toUpperCase(), referenceId)).toBe(id);
    }),
  );
});

it('another tenant or another reference is another customer', () => {
  const ids = ['acme', 'Acme', 'acme ', 'a\u0301', '\u00e1'].flatMap((name) =>
    [DNS, URL_NAMESPACE].map((n) => customerIdOf(n, name)),
  );
  expect(new Set(ids).size).toBe(ids.length);
});
