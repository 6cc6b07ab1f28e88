/** Goal: a reader finds the newest value of each key, in order of change, never more than fit, and an end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailbox } from './mailbox.ts';
import { settled } from './testing/world.ts';

describe('a mailbox', () => {
  it.each([
    // put                           taken
    ['a1', 'a1'],
    ['a1 a2 a3', 'a3'], // the newest of a key
    ['a1 b1 a2', 'b1 a2'], // in order of the last change
    ['a1 b1 c1', 'a1 b1 c1'],
    ['a1 b1 c1 d1', 'b1 c1 d1'], // the one unchanged for longest makes room
    ['a1 b1 c1 a2 d1', 'c1 a2 d1'],
  ])('of 3, after %s, holds %s', async (put, taken) => {
    const mailbox = new Mailbox<string>(3);
    for (const value of put.split(' ')) mailbox.put(value.slice(0, 1), value);
    expect(await mailbox.take()).toEqual(taken.split(' '));
  });

  it('counts what it gives up, and only that', () => {
    let drops = 0;
    const mailbox = new Mailbox<number>(2, () => {
      drops += 1;
    });
    for (const [i, key] of ['a', 'a', 'b', 'c', 'c', 'd'].entries()) mailbox.put(key, i);
    expect(drops).toBe(2);
  });

  it('wakes a reader who waits, and is empty afterwards', async () => {
    const mailbox = new Mailbox<string>(3);
    const taken = mailbox.take();
    mailbox.put('a', 'a1');
    mailbox.put('b', 'b1');
    expect(await taken).toEqual(['a1', 'b1']);
    let more: unknown = 'nothing';
    void mailbox.take().then((values) => {
      more = values;
    });
    await settled();
    expect(more).toBe('nothing');
    mailbox.put('a', 'a2');
    await settled();
    expect(more).toEqual(['a2']);
  });

  it.each(['before', 'after'])('ends a reader who comes %s it was closed', async (when) => {
    const mailbox = new Mailbox<string>(3);
    if (when === 'after') mailbox.put('a', 'never heard');
    const early = when === 'before' ? mailbox.take() : null;
    mailbox.close();
    expect(await (early ?? mailbox.take())).toBeNull();
    mailbox.put('a', 'too late');
    expect(await mailbox.take()).toBeNull();
  });

  it('never loses the newest value of a key while its keys fit, whoever is quicker', async () => {
    const operation = fc.oneof(
      fc.record({ key: fc.constantFrom('a', 'b', 'c') }),
      fc.constant('take' as const),
      fc.constant('wait' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const mailbox = new Mailbox<{ key: string; value: number }>(3);
        const newest = new Map<string, number>();
        const heard = new Map<string, number>();
        let isReading = false;
        const read = () => {
          if (isReading) return;
          isReading = true;
          void mailbox.take().then((values) => {
            for (const { key, value } of values ?? []) {
              expect(value).toBeGreaterThan(heard.get(key) ?? -1);
              heard.set(key, value);
            }
            isReading = false;
          });
        };
        for (const [value, step] of operations.entries()) {
          if (step === 'take') read();
          else if (step === 'wait') await settled();
          else {
            mailbox.put(step.key, { key: step.key, value });
            newest.set(step.key, value);
          }
        }
        read();
        await settled();
        read();
        await settled();
        expect(heard).toEqual(newest);
      }),
      { numRuns: 200 },
    );
  });
});
