import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onlyOnce } from './alert-stream.ts';

describe('onlyOnce', () => {
  it('says each id once, while it remembers it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd')), (ids) => {
        const isNew = onlyOnce(4);
        expect(ids.filter((id) => isNew(id))).toEqual([...new Set(ids)]);
      }),
    );
  });

  it('forgets the oldest beyond its limit', () => {
    const isNew = onlyOnce(2);
    expect(['a', 'b', 'c', 'b', 'c', 'a'].map((id) => isNew(id))).toEqual([true, true, true, false, false, true]);
  });
});
