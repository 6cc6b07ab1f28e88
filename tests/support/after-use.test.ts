/** Goal: what is opened is closed, at the right end, last opened first. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { afterUse } from './after-use.ts';

const closed: string[] = [];

// Registered after the import's own, so it runs before it: what a hook opened is still open then.
afterAll(() => expect(closed).toEqual(['second', 'first', 'of a hook before each', 'of a hook before each']));

describe('what is opened', () => {
  beforeAll(() => afterUse(() => closed.push('of a hook before all')));
  beforeEach(() => afterUse(() => closed.push('of a hook before each')));

  it('in a test, is open until it ends', () => {
    afterUse(() => closed.push('first'));
    afterUse(() => closed.push('second'));
    expect(closed).toEqual([]);
  });

  it('is closed before the next test, the last opened first', () => {
    expect(closed).toEqual(['second', 'first', 'of a hook before each']);
  });
});
