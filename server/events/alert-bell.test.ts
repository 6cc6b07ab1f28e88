/** Goal: whoever waits for an alert is woken, no ring is missed between two looks, and nothing stays of who has left. */
import { describe, expect, it } from 'vitest';
import { AlertBell, type AlertListener } from './alert-bell.ts';
import { settled } from './testing/world.ts';

type Ring = (bell: AlertBell) => void;

/** Counts how often a listener wakes. */
function counted(listener: AlertListener): { wakes: number } {
  const count = { wakes: 0 };
  const wait = async () => {
    for (;;) {
      await listener.next();
      count.wakes += 1;
      await settled();
    }
  };
  void wait();
  return count;
}

describe('the bell', () => {
  it.each<[listening: string, ring: Ring, wakes: number]>([
    ['acme', (bell) => bell.ring('t1', 'acme'), 1],
    ['acme', (bell) => bell.ring('t1', 'globex'), 0],
    ['acme', (bell) => bell.ring('t2', 'acme'), 0],
    ['everybody', (bell) => bell.ring('t1', 'globex'), 1],
    ['everybody', (bell) => bell.ring('t2', 'globex'), 0],
    ['acme', (bell) => bell.ringTenants(new Set(['t1', 't3'])), 1],
    ['everybody', (bell) => bell.ringTenants(new Set(['t1'])), 1],
    ['acme', (bell) => bell.ringTenants(new Set(['t2'])), 0],
    ['acme', (bell) => bell.ringTenants(new Set()), 0],
  ])('who listens to %s of t1 hears %s %i times', async (listening, ring, wakes) => {
    const bell = new AlertBell();
    const count = counted(bell.listen('t1', listening === 'everybody' ? null : listening));
    ring(bell);
    await settled();
    expect(count.wakes).toBe(wakes);
  });

  it('has rung for who looks only later, once for however many rings', async () => {
    const bell = new AlertBell();
    const listener = bell.listen('t1', 'acme');
    bell.ring('t1', 'acme');
    bell.ring('t1', 'acme');
    await listener.next();
    let again = false;
    void listener.next().then(() => {
      again = true;
    });
    await settled();
    expect(again).toBe(false);
    bell.ring('t1', 'acme');
    await settled();
    expect(again).toBe(true);
  });

  it('knows whose alerts are waited for, and forgets who leaves', async () => {
    const bell = new AlertBell();
    const [one, other, third] = [bell.listen('t1', 'acme'), bell.listen('t1', null), bell.listen('t2', null)];
    expect(bell.tenantIds).toEqual(['t1', 't2']);
    one.leave();
    expect(bell.tenantIds).toEqual(['t1', 't2']);
    other.leave();
    third.leave();
    expect(bell.tenantIds).toEqual([]);
  });

  it('does not take the place of one who listens to the same, when it leaves', async () => {
    const bell = new AlertBell();
    const leaving = bell.listen('t1', 'acme');
    const count = counted(bell.listen('t1', 'acme'));
    leaving.leave();
    bell.ring('t1', 'acme');
    await settled();
    expect(count.wakes).toBe(1);
  });

  it('wakes who leaves, and everybody when it closes', async () => {
    const bell = new AlertBell();
    const [leaving, staying] = [bell.listen('t1', 'acme'), bell.listen('t1', null)];
    const woken: string[] = [];
    void leaving.next().then(() => woken.push('leaving'));
    void staying.next().then(() => woken.push('staying'));
    leaving.leave();
    await settled();
    expect(woken).toEqual(['leaving']);
    bell.close();
    await settled();
    expect(woken).toEqual(['leaving', 'staying']);
    expect(bell.isClosed).toBe(true);
    await staying.next(); // never waits again
  });
});
